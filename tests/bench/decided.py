"""Figures that decisions name (docs/adr): `python -m tests.bench.decided`, in processor time of this process.

A line of the audit log, alone and among 16 of one write, and a check of the whole log (ADR 52); a run of retention
over one repository, of which it removes everything or a tenth (ADR 57).
"""

import json
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

from registry.content.retention import Retention
from registry.maintenance.audit_check import check_audit_log
from registry.oci.names import Tag
from registry.telemetry.audit_file import AuditFile
from tests.registry.open_services import OpenServices, open_services

_ROUNDS = 5
_LINES = 2_000
_CHECKED = 200_000
_TAGS = 1_000
_ROOM = 400
"""Bytes of the path in a line: lines of a busy registry are some 450 bytes long."""
_LATER = 1e10


def seconds(work: Callable[[], object]) -> float:
    """Processor time of it."""
    began = time.process_time()
    work()
    return time.process_time() - began


def append(file: AuditFile, count: int, at_once: int) -> None:
    """Append so many lines, several in one write."""
    line = json.dumps({"action": "bench", "path": "x" * _ROOM}).encode()
    for _ in range(count // at_once):
        with file.held() as mine:
            assert mine
            file.append([line] * at_once)


def audit(folder: Path) -> None:
    """What lines of the audit log cost."""
    path = folder / "audit.log"
    file = AuditFile(path)
    for at_once in (1, 16):
        spent = median(seconds(lambda at_once=at_once: append(file, _LINES, at_once)) for _ in range(_ROUNDS))  # type: ignore[misc]
        told(f"a line of the audit log, {at_once} in one write", spent / _LINES * 1e6, "µs")
    append(file, _CHECKED - 2 * _ROUNDS * _LINES, 500)
    file.close()
    told(
        f"a check of {_CHECKED:,} lines ({path.stat().st_size / 1e6:.0f} MB)",
        seconds(lambda: check_audit_log(path)),
        "s",
    )


def retention(folder: Path, newest: int) -> float:
    """Milliseconds of a run that keeps the newest tags of a repository of 1,000 and removes the others."""
    with open_services(folder) as services:
        push(services)
        rule = {"keep": [{"newest": newest}], "else": "delete"}
        services.configure(retention={"rules": [rule]})
        work = Retention(services.metadata, services.settings, None, lambda: None)
        plan = services.run(work.plan(_LATER))
        return seconds(lambda: services.run(work.run(plan))) * 1000


def push(services: OpenServices) -> None:
    """A repository of 1,000 images, each with a tag."""
    for number in range(_TAGS):
        services.run(services.push_image(Tag(f"t-{number}"), [str(number).encode()]))


def told(what: str, value: float, unit: str) -> None:
    """Print a figure."""
    sys.stdout.write(f"{what}: {value:.2f} {unit}\n")


def main() -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory() as folder:
        audit(Path(folder))
        few, many = (retention(Path(folder) / str(newest), newest) for newest in (_TAGS - 1, _TAGS // 2))
    told(f"a run of retention over {_TAGS:,} tags that removes one", few, "ms")
    told("each thing more that it removes", (many - few) / (_TAGS // 2 - 1), "ms")


if __name__ == "__main__":
    main()

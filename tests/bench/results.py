"""Saved results: what was measured, where and with what; results of different data sets are not compared."""

import hashlib
import json
import os
import platform
import subprocess
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path

from tests.bench.payloads import payload
from tests.bench.rounds import ROOT, Row, Sample
from tests.bench.servers import Server
from tests.bench.workloads import Workload

PACKAGES = ("uvicorn", "uvloop", "httptools", "starlette", "sqlalchemy", "cryptography")


class Incomparable(Exception):
    """Two results that do not speak of the same thing."""


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """What must be known to read a result.

    Attributes:
        machine: processor, cores, kernel, memory.
        versions: of the servers, the interpreter and the packages that matter.
        settings: how the bench was run.
        data: digest of the workloads and of the bytes they send.
    """

    machine: dict[str, str]
    versions: dict[str, str]
    settings: dict[str, str]
    data: str


@dataclass(frozen=True, slots=True)
class Result:
    """One run of the bench."""

    fingerprint: Fingerprint
    rows: list[Row]

    def save(self, path: Path) -> None:
        """Write it as JSON."""
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(asdict(self), indent=1), encoding="utf-8")


def load(path: Path) -> Result:
    """Read a saved result."""
    raw = json.loads(path.read_text(encoding="utf-8"))
    rows = [Row(Workload(**row["workload"]), _samples(row["samples"])) for row in raw["rows"]]
    return Result(Fingerprint(**raw["fingerprint"]), rows)


def fingerprint(workloads: Sequence[Workload], servers: Sequence[Server], rounds: int) -> Fingerprint:
    """Of the run about to be made."""
    versions = {server.name: server.version() for server in servers}
    versions |= {name: version(name) for name in PACKAGES}
    versions["python"] = platform.python_version()
    return Fingerprint(_machine(), versions, {"rounds": str(rounds)}, _data(workloads))


def comparable(old: Result, new: Result) -> None:
    """Refuse two results whose data sets, machines or settings differ.

    Raises:
        Incomparable: with each difference found.
    """
    pairs = [
        ("data set", old.fingerprint.data, new.fingerprint.data),
        ("machine", old.fingerprint.machine, new.fingerprint.machine),
        ("settings", old.fingerprint.settings, new.fingerprint.settings),
    ]
    found = [f"{what}: {before} there, {after} here" for what, before, after in pairs if before != after]
    if found:
        raise Incomparable("These results cannot be compared. " + "; ".join(found) + ". Run both again, alike.")


def commit() -> str:
    """The measured state of this project."""
    command = ["git", "describe", "--always", "--dirty"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    return done.stdout.strip() or "unknown"


def _samples(raw: dict[str, list[dict[str, float]]]) -> dict[str, list[Sample]]:
    return {name: [Sample(**sample) for sample in samples] for name, samples in raw.items()}  # type: ignore[arg-type]


def _data(workloads: Sequence[Workload]) -> str:
    digest = hashlib.sha256()
    for workload in workloads:
        digest.update(json.dumps(asdict(workload)).encode())
    for kind in ("random", "gzip", "zstd"):
        digest.update(payload(kind, 1 << 20, "fingerprint").digest.encode())
    return digest.hexdigest()[:16]


def _machine() -> dict[str, str]:
    lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    names = [line.partition(": ")[2] for line in lines if line.startswith("model name")]
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return {
        "processor": names[0] if names else platform.machine(),
        "cores": str(os.cpu_count()),
        "kernel": platform.release(),
        "memory": f"{memory >> 30} GiB",
    }

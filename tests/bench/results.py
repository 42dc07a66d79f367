"""Saved results: what was measured, where and with what; results of different data sets are not compared."""

import hashlib
import json
import os
import platform
import subprocess
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any

from tests.bench.figures import Figure
from tests.bench.images import small_image
from tests.bench.payloads import Kind, payload
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
        settings: how the bench was run, and how each server is set up.
        data: digest of the workloads and of the bytes they send.
    """

    machine: dict[str, str]
    versions: dict[str, str]
    settings: dict[str, str]
    data: str


@dataclass(frozen=True, slots=True)
class Result:
    """One run of the bench.

    Attributes:
        fingerprint: what was measured, where and with what.
        rows: workloads.
        figures: single values.
    """

    fingerprint: Fingerprint
    rows: list[Row]
    figures: list[Figure] = field(default_factory=list)

    def save(self, path: Path) -> None:
        """Write it as JSON."""
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(asdict(self), indent=1), encoding="utf-8")


def load(path: Path) -> Result:
    """Read a saved result.

    Raises:
        Incomparable: the file is not one, or one of another version of the bench.
    """
    try:
        raw = json.loads(path.read_text(encoding="utf-8"))
        rows = [Row(_workload(row["workload"]), _samples(row["samples"])) for row in raw["rows"]]
        figures = [Figure(**figure) for figure in raw["figures"]]
        return Result(Fingerprint(**raw["fingerprint"]), rows, figures)
    except (KeyError, TypeError, ValueError) as error:
        raise Incomparable(
            f"{path} is not a result of this version of the bench: run it again, or name another file."
        ) from error


def fingerprint(workloads: Sequence[Workload], servers: Sequence[Server], rounds: int) -> Fingerprint:
    """Of the run about to be made."""
    settings = {"rounds": str(rounds)} | {server.name: server.settings() for server in servers}
    return Fingerprint(_machine(), _versions(servers), settings, _data(workloads))


def fingerprint_of(what: str, servers: Sequence[Server]) -> Fingerprint:
    """Of a run that is not one of workloads, over the data that `what` describes."""
    settings = {server.name: server.settings() for server in servers}
    return Fingerprint(_machine(), _versions(servers), settings, hashlib.sha256(what.encode()).hexdigest()[:16])


def _versions(servers: Sequence[Server]) -> dict[str, str]:
    versions = {server.name: server.version() for server in servers}
    versions |= {name: version(name) for name in PACKAGES}
    return versions | {"python": platform.python_version()}


def require_room(path: Path, new: Fingerprint) -> None:
    """Refuse to save over the result of another data set.

    Raises:
        Incomparable: the file holds one, or something else.
    """
    if not path.exists():
        return
    old = load(path).fingerprint.data
    if old != new.data:
        raise Incomparable(
            f"{path} holds a result of data set {old}, this run would be one of {new.data}: save it under another name."
        )


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


def commit(tree: Path = ROOT) -> str:
    """The measured state of a working tree of this project."""
    command = ["git", "describe", "--always", "--dirty"]
    done = subprocess.run(command, cwd=tree, capture_output=True, text=True, check=False)
    return done.stdout.strip() or "unknown"


def _workload(raw: dict[str, Any]) -> Workload:
    fields: dict[str, Any] = {key: tuple(value) if isinstance(value, list) else value for key, value in raw.items()}
    return Workload(**fields)


def _samples(raw: dict[str, list[dict[str, Any]]]) -> dict[str, list[Sample]]:
    return {name: [Sample(**sample) for sample in samples] for name, samples in raw.items()}


def _data(workloads: Sequence[Workload]) -> str:
    """Digest of what is done and of the bytes it is done with; goals are no part of it."""
    digest = hashlib.sha256()
    for workload in workloads:
        done = asdict(workload)
        del done["goal"], done["peak_goal"]
        digest.update(json.dumps(done).encode())
    kinds: tuple[Kind, ...] = ("random", "gzip", "zstd")
    for kind in kinds:
        digest.update(payload(kind, 1 << 20, "fingerprint").digest.encode())
    digest.update(small_image().manifest())
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

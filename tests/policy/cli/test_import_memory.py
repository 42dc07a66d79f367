"""Memory of an import: it does not depend on the size of layers. `make import-memory` does it with 5 GB."""

import hashlib
import json
import os
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

from registry.auth.actions import Role
from registry.auth.enrolment import draft
from tests.policy.cli.transfers import empty_registry
from tests.registry.auth.people import enrol

SIZE = int(os.environ.get("IMPORT_BYTES", str(192 << 20)))
LIMIT = 120 << 20
PIECE = bytes(1 << 20)


def archive_of(place: Path, size: int) -> Path:
    """An archive of docker save whose only layer is an empty tar of this size: a file with a hole in it."""
    hasher = hashlib.sha256()
    for _ in range(size >> 20):
        hasher.update(PIECE)
    config = {"os": "linux", "architecture": "amd64", "rootfs": {"diff_ids": [f"sha256:{hasher.hexdigest()}"]}}
    listed = [{"Config": "config.json", "RepoTags": ["large:v1"], "Layers": ["layer.tar"]}]
    with place.open("wb") as file:
        for name, document in (("config.json", config), ("manifest.json", listed)):
            content = json.dumps(document).encode()
            file.write(_head(name, len(content)) + content + bytes(-len(content) % 512))
        file.write(_head("layer.tar", size))
        file.truncate(file.tell() + size)
    return place


def _head(name: str, size: int) -> bytes:
    member = tarfile.TarInfo(name)
    member.size = size
    return member.tobuf(tarfile.GNU_FORMAT)


# A process begins with the peak of the one that has started it: that must be a small one.
_MEASURED = """
import os, subprocess, sys
process = subprocess.Popen(sys.argv[1:], stdout=subprocess.DEVNULL)
_, status, used = os.wait4(process.pid, 0)
process.returncode = os.waitstatus_to_exitcode(status)
print(process.returncode, used.ru_maxrss * 1024)
"""


def peak_of(*words: str) -> int:
    """Bytes of memory that a command, or a worker process of it, has had resident at most."""
    command = [sys.executable, "-S", "-c", _MEASURED, sys.executable, "-m", "policy", *words]
    code, peak = subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout.split()
    assert int(code) == 0
    return int(peak)


@pytest.mark.timeout(3600)
def test_an_import_streams(tmp_path: Path) -> None:
    """Out of a file, and back as a tar."""
    archive = archive_of(tmp_path / "large.tar", SIZE)
    data = empty_registry(tmp_path / "data")
    enrol(tmp_path / "data", draft("admin", Role.OWNER))
    peaks = {
        "import": peak_of("import", str(archive), "team/large", "--data", data, "--wait", "3600"),
        "again": peak_of("import", str(archive), "team/large", "--data", data),
        "export": peak_of("export", "team/large", str(tmp_path / "out.tar"), "--data", data, "--as", "admin"),
    }
    print({name: f"{peak / (1 << 20):.0f} MiB" for name, peak in peaks.items()})  # noqa: T201 - for `make import-memory`
    assert max(peaks.values()) < LIMIT, peaks

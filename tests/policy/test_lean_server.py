"""A server holds only what it needs: what it has imported when it first answers, and how much memory is resident."""

import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx

from tests.server_process import Serving, serving

IDLE_MEBIBYTES = 100
SIGN_INS = 8
# Slow to import, or large, and no part of the first answer.
UNWANTED = {
    "alembic",
    "attr",
    "cryptography.x509",
    "httpx",
    "jinja2",
    "jwt",
    "mako",
    "policy.azure.management.extension",
    "policy.client",
    "policy.inspection.worker.main",
    "policy.enforcement.replay",
    "pygments",
    "registry.metadata.migrations",
    "registry.cli.certificate_authority",
    "rich.console",
    "schemathesis",
    "watchfiles.main",
}
_IMPORTED = re.compile(r"^import time: .*\| +(\S+)$", re.MULTILINE)
_RESIDENT = re.compile(r"^VmRSS:\s+(\d+) kB", re.MULTILINE)


def admins_secret(server: Serving) -> str:
    """The secret of a first start; waits until it is printed."""
    return server.wait_for(re.compile(r"^  admin +Owner +(\S+)\n", re.MULTILINE))[1]


def imported(server: Serving, log: Path) -> set[str]:
    """What the server had imported when it gave its first answer."""
    assert httpx.get(f"http://{server.host}/v2/").status_code == 401
    return set(_IMPORTED.findall(log.read_text(encoding="utf-8")))


def resident_mebibytes(data: Path) -> float:
    """The memory of the server over a data folder that is not on disk, or a file's."""
    pid = (data / "server.lock").read_text(encoding="ascii").strip()
    found = _RESIDENT.search(Path(f"/proc/{pid}/status").read_text(encoding="utf-8"))
    assert found
    return int(found[1]) / 1024


def test_the_first_answer_needs_no_heavy_imports(tmp_path: Path) -> None:
    """What a start does not use it does not load."""
    with serving(tmp_path, PYTHONPROFILEIMPORTTIME="1") as server:
        found = imported(server, tmp_path / "serving.log")
    assert {"sqlalchemy", "policy.enforcement.gate"} <= found
    assert found & UNWANTED == set()


def test_idle_memory_after_a_first_start_and_sign_ins(tmp_path: Path) -> None:
    """The memory in which secrets were hashed, by several threads too, has gone back to the system."""
    settings = {"BASEGATE_AUTH__HASHING_THREADS": "2", "BASEGATE_AUTH__THROTTLE__DELAY_SECONDS": "0"}
    with serving(tmp_path, **settings) as server:
        url, right = f"http://{server.host}/v2/", admins_secret(server)
        with ThreadPoolExecutor(2) as clients:
            secrets = [right, *(f"wrong{number}" for number in range(SIGN_INS))]
            answers = list(clients.map(lambda secret: httpx.get(url, auth=("admin", secret)).status_code, secrets))
        assert answers[0] == 200
        assert resident_mebibytes(tmp_path) <= IDLE_MEBIBYTES

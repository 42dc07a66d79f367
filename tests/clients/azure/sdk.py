"""Microsoft's azure-containerregistry, unmodified, in a process of its own environment."""

import base64
import json
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.conftest import missing

ROOT = Path(__file__).parents[3]
PYTHON = ROOT / ".tools" / "azure-containerregistry" / "bin" / "python"
CALLS = Path(__file__).parent / "sdk_calls.py"
_SECONDS = 120


def require_sdk() -> None:
    """Skip, where the SDK is not installed; fail where CI=true."""
    if not PYTHON.exists():
        missing("azure-containerregistry is not installed: .ci/azure-clients does so")


def sent(content: bytes) -> dict[str, str]:
    """Bytes as an argument of a call."""
    return {"bytes": base64.b64encode(content).decode()}


@dataclass(frozen=True, slots=True)
class Sdk:
    """A client of a registry.

    Attributes:
        url: of the registry; TLS, which the SDK insists on.
        ca: whom it trusts.
        token: what its credential hands out; `None` for the anonymous caller.
    """

    url: str
    ca: Path
    token: str | None

    def calls(self, *asked: tuple[str, list[Any], dict[str, Any]]) -> list[dict[str, Any]]:
        """What each call of one client returned: `{"result"}`, or `{"error", "status", "message"}`."""
        document = {"url": self.url, "ca": str(self.ca), "token": self.token, "calls": asked}
        done = subprocess.run(
            [PYTHON, CALLS], input=json.dumps(document), capture_output=True, text=True, timeout=_SECONDS, check=False
        )
        assert done.returncode == 0, done.stderr
        found: list[dict[str, Any]] = json.loads(done.stdout)
        return found

    def call(self, method: str, *arguments: Any, **named: Any) -> Any:
        """The result of one call."""
        (found,) = self.calls((method, list(arguments), named))
        assert "error" not in found, found
        return found["result"]

    def refused(self, method: str, *arguments: Any, **named: Any) -> tuple[str, int]:
        """Class and status of the error that one call ends in."""
        (found,) = self.calls((method, list(arguments), named))
        assert "error" in found, found
        return found["error"], found["status"]

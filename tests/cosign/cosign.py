"""cosign as it is typed, with a home of its own."""

import base64
import json
import os
import subprocess
from pathlib import Path

from policy.attestation.types import PREDICATE_TYPE
from tests.architecture.source import ROOT
from tests.policy.live import LiveGateway

VERSIONS = ("v3.1.3", "v2.6.5")
FILES = ROOT / "config" / "verdicts"
REGO, CUE = FILES / "passed.rego", FILES / "passed.cue"
_SECONDS = 120


class Cosign:
    """One version of it.

    Attributes:
        home: its home folder.
        program: the folder of the program.
        key: the public key of the registry.
    """

    def __init__(self, home: Path, live: LiveGateway, version: str) -> None:
        """Sign in as `admin`, and fetch the key."""
        self.home = home
        self.program = ROOT / ".tools" / "cosign" / version
        assert (self.program / "cosign").exists(), "make test-cosign builds it"
        self.key = home / "cosign.pub"
        self._live = live
        self._root = ["--trusted-root", str(FILES / "no-roots.json")] if version.startswith("v2") else []
        home.mkdir()
        self.sign_in("admin")
        self.fetch_key()

    @property
    def environment(self) -> dict[str, str]:
        """What it is run with."""
        own = {"HOME": str(self.home), "DOCKER_CONFIG": str(self.home), "COSIGN_PASSWORD": ""}
        return {**os.environ, **own, "TUF_ROOT": str(self.home / "tuf"), "PATH": f"{self.program}:{os.environ['PATH']}"}

    def sign_in(self, name: str) -> None:
        """Go on as another principal."""
        login = base64.b64encode(f"{name}:{self._live.secrets[name]}".encode()).decode()
        (self.home / "config.json").write_text(json.dumps({"auths": {self._live.host: {"auth": login}}}))

    def fetch_key(self) -> None:
        """The public key that counts now."""
        with self._live.registry.client() as client:
            self.key.write_bytes(client.get("/policy/v1/keys", headers={"Accept": "application/x-pem-file"}).content)

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Run it."""
        command = [str(self.program / "cosign"), *words]
        return subprocess.run(
            command, env=self.environment, cwd=self.home, capture_output=True, text=True, timeout=_SECONDS, check=False
        )

    def accepts(self, name: str, policy: Path | None = REGO, key: Path | None = None) -> bool:
        """Whether it verifies the verdict on an image."""
        asked = [] if policy is None else ["--policy", str(policy)]
        trusted = ["--key", str(key or self.key), "--insecure-ignore-tlog=true", *self._root]
        done = self.run("verify-attestation", *trusted, "--type", PREDICATE_TYPE, *asked, f"{self._live.host}/{name}")
        return done.returncode == 0

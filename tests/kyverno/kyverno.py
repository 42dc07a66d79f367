"""Kyverno's command line as it is typed, with a home of its own."""

import base64
import json
import os
import re
from collections.abc import Mapping
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

from tests.architecture.source import ROOT
from tests.policy.attestation.page import commands, type_in
from tests.policy.live import LiveGateway

PROGRAMS = ROOT / ".tools" / "kyverno"
POLICY, TAG_POLICY = "kyverno.yaml", "kyverno-tag.yaml"
*FILL, ASK = commands("sed")
"""The lines of docs/verdicts.md: those that fill the policies in, and one that asks about an image."""
GOOD = "127.0.0.1:5000/team/good:v1"
"""The image that it asks about."""
_COUNT = re.compile(r"(pass|fail|warn|error|skip): (\d+)")


class Kyverno:
    """The program, and what it needs to judge by the verdicts of a server.

    Attributes:
        home: its home folder, with the policies and `cosign.pub`.
        policy: the one that it judges by.
    """

    def __init__(self, home: Path, live: LiveGateway) -> None:
        """Sign in as `admin`, fetch the key and fill the policies in."""
        assert (PROGRAMS / ".built").exists(), "make test-kyverno builds it"
        self.home = home
        self.policy = POLICY
        self._live = live
        home.mkdir()
        self.sign_in("admin")
        self.fetch_key()
        self.fill()

    @property
    def environment(self) -> dict[str, str]:
        """What it is run with."""
        own = {"HOME": str(self.home), "DOCKER_CONFIG": str(self.home), "TUF_ROOT": str(self.home / "tuf")}
        trusted = {} if self._live.ca is None else {"SSL_CERT_FILE": str(self._live.ca)}
        return {**own, **trusted, "PATH": f"{PROGRAMS}:{os.environ['PATH']}"}

    def sign_in(self, name: str) -> None:
        """Go on as another principal."""
        login = base64.b64encode(f"{name}:{self._live.secrets[name]}".encode()).decode()
        (self.home / "config.json").write_text(json.dumps({"auths": {self._live.host: {"auth": login}}}))

    def fetch_key(self) -> None:
        """The public key that counts now."""
        with self._live.client("admin") as client:
            answer = client.get("/policy/v1/keys", headers={"Accept": "application/x-pem-file"})
        (self.home / "cosign.pub").write_bytes(answer.content)

    def fill(self) -> None:
        """Write the policies, for the server and the key of `cosign.pub`, as docs/verdicts.md has it."""
        for line in FILL:
            assert type_in(self.home, self._live, line, self.environment).returncode == 0

    def apply(self, name: str) -> CompletedProcess[str]:
        """Ask about an image of the server, as docs/verdicts.md has it."""
        line = ASK.replace(GOOD, f"{self._live.host}/{name}").replace(f" {POLICY}", f" {self.policy}")
        return type_in(self.home, self._live, line, self.environment)

    def apply_to(self, thing: Mapping[str, Any]) -> CompletedProcess[str]:
        """Ask about an object of one's own."""
        (self.home / "thing.json").write_text(json.dumps(thing))
        line = f"kyverno apply {self.policy} --resource thing.json --warn-no-pass --warn-exit-code 3"
        return type_in(self.home, self._live, line, self.environment)

    def answer(self, name: str) -> str:
        """`pass`, `fail`, `error` or `nothing asked`."""
        return self.told(self.apply(name))

    def told(self, done: CompletedProcess[str]) -> str:
        """The answer in what it printed, which agrees with its exit code; a ClusterPolicy counts several."""
        counts: dict[str, int] = {word: int(number) for word, number in _COUNT.findall(done.stdout)}
        assert len(counts) == 5, done.stdout + done.stderr
        (answer,) = [word for word, number in counts.items() if number] or ["nothing asked"]
        assert (done.returncode == 0) is (answer == "pass"), done
        return answer

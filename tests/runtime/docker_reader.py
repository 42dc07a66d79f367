"""docker as a reader, by its engine's HTTP API: the command costs more than the container."""

import base64
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

import httpx

from tests.installation import Account
from tests.runtime.question import SHELL, facts_of
from tests.runtime.reader import SECONDS, Answer


class DockerReader:
    """A docker engine behind its socket."""

    name: ClassVar[str] = "docker"

    def __init__(self, socket: Path) -> None:
        transport = httpx.HTTPTransport(uds=str(socket))
        self._engine = httpx.Client(transport=transport, base_url="http://docker", timeout=SECONDS)
        self._images: list[str] = []

    def ask(self, reference: str, account: Account, script: str) -> Answer:
        """Pull, create, start, wait, read the log."""
        refused = self._pull(reference, account)
        if refused:
            return Answer(None, refused)
        self._images.append(reference)
        body = {
            "Image": reference,
            "Entrypoint": list(SHELL),
            "Cmd": [script],
            "HostConfig": {"NetworkMode": "none"},
        }
        made = self._engine.post("/containers/create", json=body)
        if made.is_error:
            return Answer(None, made.text)
        container = made.json()["Id"]
        try:
            return self._run(container)
        except httpx.TimeoutException:
            return Answer(None, f"no answer within {SECONDS} seconds")
        finally:
            self._engine.delete(f"/containers/{container}", params={"force": "1", "v": "1"})

    def _pull(self, reference: str, account: Account) -> str:
        """What keeps the engine from having the image; "" when it has it."""
        credentials = {"username": account.username, "password": account.password}
        token = base64.urlsafe_b64encode(json.dumps(credentials).encode()).decode()
        name, _, tag = reference.rpartition(":")
        query = {"fromImage": name, "tag": tag}
        try:
            answer = self._engine.post("/images/create", params=query, headers={"X-Registry-Auth": token})
        except httpx.TransportError as error:  # the engine's own handler fell over
            return str(error)
        if answer.is_error:
            return answer.text
        lines: list[dict[str, Any]] = [json.loads(line) for line in answer.text.splitlines()]
        return " ".join(str(line["error"]) for line in lines if "error" in line)

    def _run(self, container: str) -> Answer:
        started = self._engine.post(f"/containers/{container}/start")
        if started.is_error:
            return Answer(None, started.text)
        self._engine.post(f"/containers/{container}/wait")
        logs = self._engine.get(f"/containers/{container}/logs", params={"stdout": "1", "stderr": "1"})
        printed = b"".join(_frames(logs.content)).decode(errors="replace")
        return Answer(facts_of(printed), printed)

    def close(self) -> None:
        """Let go of the socket."""
        self._engine.close()

    def empty(self) -> None:
        """Remove every image that was pulled."""
        for reference in self._images:
            self._engine.delete(f"/images/{reference}", params={"force": "1"})
        self._images.clear()


def _frames(stream: bytes) -> Iterator[bytes]:
    """The payloads of the engine's multiplexed stream: type, three zero bytes, length, payload."""
    at = 0
    while at + 8 <= len(stream):
        size = int.from_bytes(stream[at + 4 : at + 8])
        yield stream[at + 8 : at + 8 + size]
        at += 8 + size

"""docker as a reader, by its engine's HTTP API: the command costs more than the container."""

import base64
import itertools
import json
import socket
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path
from typing import Any, ClassVar

import httpx

from tests.clients.daemons import docker_daemon
from tests.installation import Account
from tests.runtime.question import SHELL, facts_of
from tests.runtime.reader import SECONDS, Answer


class DockerReader:
    """A docker engine of its own, and another one when an image has felled it.

    Args:
        home: folder for the data of the engines.
        start: starts an engine in a folder; its socket while the block lasts.
    """

    name: ClassVar[str] = "docker"

    def __init__(self, home: Path, start: Callable[[Path], AbstractContextManager[Path]] = docker_daemon) -> None:
        self._home = home
        self._start = start
        self._numbers = itertools.count(1)
        self._images: list[str] = []
        self._running = ExitStack()
        self._engine = self._started()

    def _started(self) -> httpx.Client:
        folder = self._home / str(next(self._numbers))
        folder.mkdir(parents=True)
        self._socket = self._running.enter_context(self._start(folder))
        transport = httpx.HTTPTransport(uds=str(self._socket))
        client = httpx.Client(transport=transport, base_url="http://docker", timeout=SECONDS)
        self._running.callback(client.close)
        return client

    def ask(self, reference: str, account: Account, script: str) -> Answer:
        """Pull, create, start, wait, read the log; once more where the engine did not answer. The last word counts."""
        self._replace_fallen()
        try:
            return self._asked(reference, account, script)
        except httpx.TransportError:
            self._replace_fallen()
        try:
            return self._asked(reference, account, script)
        except httpx.TransportError as error:
            return Answer(None, f"the engine did not answer twice: {error!r}")

    def _replace_fallen(self) -> None:
        if self._listens():
            return
        self._running.close()
        self._images.clear()
        self._engine = self._started()

    def _listens(self) -> bool:
        """Whether somebody is there; httpx leaves a socket open where nobody is."""
        with socket.socket(socket.AF_UNIX) as probe:
            return probe.connect_ex(str(self._socket)) == 0

    def _asked(self, reference: str, account: Account, script: str) -> Answer:
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
        finally:
            if self._listens():
                self._engine.delete(f"/containers/{container}", params={"force": "1", "v": "1"})

    def _pull(self, reference: str, account: Account) -> str:
        """What keeps the engine from having the image; "" when it has it."""
        credentials = {"username": account.username, "password": account.password}
        token = base64.urlsafe_b64encode(json.dumps(credentials).encode()).decode()
        name, _, tag = reference.rpartition(":")
        query = {"fromImage": name, "tag": tag}
        answer = self._engine.post("/images/create", params=query, headers={"X-Registry-Auth": token})
        if answer.is_error:
            return answer.text
        lines: list[dict[str, Any]] = [json.loads(line) for line in answer.text.splitlines()]
        return " ".join(str(line["error"]) for line in lines if "error" in line)

    def _run(self, container: str) -> Answer:
        started = self._engine.post(f"/containers/{container}/start")
        if started.is_error:
            return Answer(None, started.text)
        try:
            self._engine.post(f"/containers/{container}/wait")
        except httpx.ReadTimeout:
            return Answer(None, f"no answer within {SECONDS} seconds")
        logs = self._engine.get(f"/containers/{container}/logs", params={"stdout": "1", "stderr": "1"})
        printed = b"".join(_frames(logs.content)).decode(errors="replace")
        return Answer(facts_of(printed), printed)

    def close(self) -> None:
        """End the engine."""
        self._running.close()

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

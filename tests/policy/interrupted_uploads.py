"""Uploads whose node is killed in the middle of a request: another goes on from what was acknowledged."""

import os
import threading
import time
from collections.abc import Sequence
from contextlib import suppress

import httpx

from registry.oci.digest import Digest
from tests.halfway import HalfwayUpload

_ACKNOWLEDGED, _REST = 100_000, 50_000
"""More than a row holds: the first bytes are an object of the store."""
_GIVE_UP_SECONDS = 300.0
_AGAIN_SECONDS = 0.5


class InterruptedUpload:
    """One upload: the first of its bytes are acknowledged by a node, and a request with more of them is under way.

    Args:
        hosts: HOST:PORT of that node, and then of the other.

    Attributes:
        problem: why it did not end well; "" once it has.
    """

    def __init__(self, hosts: Sequence[str]) -> None:
        self.problem = "it was not ended"
        self._hosts = [f"http://{host}" for host in hosts]
        self._content = os.urandom(_ACKNOWLEDGED + _REST)
        self._digest = Digest.of(self._content)
        with httpx.Client(base_url=self._hosts[0], timeout=60) as client:
            self._path = client.post("/v2/team/interrupted/blobs/uploads/").raise_for_status().headers["location"]
            client.patch(self._path, content=self._content[:_ACKNOWLEDGED]).raise_for_status()
        self._halfway = HalfwayUpload(f"{self._hosts[0]}{self._path}", method="PATCH")
        self._thread = threading.Thread(target=self._go_on)

    def go_on(self) -> None:
        """Go on with it at the other node, or at the first when that was killed as well; in a thread."""
        self._halfway.go_on()
        self._thread.start()

    def ended(self) -> bool:
        """Wait for it; whether it is whole."""
        self._thread.join()
        return not self.problem

    def _go_on(self) -> None:
        end, turn = time.monotonic() + _GIVE_UP_SECONDS, 1
        while self.problem and time.monotonic() < end:
            with suppress(httpx.TransportError), httpx.Client(base_url=self._hosts[turn % 2], timeout=60) as client:
                self.problem = self._tried(client)
            turn += 1
            time.sleep(_AGAIN_SECONDS if self.problem else 0)

    def _tried(self, client: httpx.Client) -> str:
        """Send what is missing to one node; what is wrong with its answers."""
        state = client.get(self._path)
        if state.status_code == 204:
            kept = int(state.headers["range"].removeprefix("0-")) + 1
            if kept < _ACKNOWLEDGED:
                return f"{kept} bytes were kept"
            client.put(self._path, params={"digest": self._digest}, content=self._content[kept:])
        blob = client.get(f"/v2/team/interrupted/blobs/{self._digest}")
        return "" if blob.content == self._content else f"{state.status_code}, {blob.status_code}: {blob.text[:200]}"

"""An upload that stops halfway, until it is told to go on."""

import threading
from collections.abc import Iterator, Mapping
from contextlib import suppress

import httpx

from registry.oci.digest import Digest

# The first is more than a server may collect before it writes.
_PIECES = (b"first" * 2000, b"second")
_SECONDS = 30


class HalfwayUpload:
    """Sends the first piece of a blob to a session at once, in a thread; the second when `go_on` is called.

    Args:
        url: of the session.
        auth: name and secret, where somebody has to sign in.
        fields: more headers.
        method: PUT, which ends the upload, or PATCH.

    Attributes:
        status: of the answer, 0 until there is one.
    """

    def __init__(
        self,
        url: str,
        auth: tuple[str, str] | None = None,
        fields: Mapping[str, str] | None = None,
        method: str = "PUT",
    ) -> None:
        self.status = 0
        self._url, self._method = url, method
        self._auth = auth
        self._fields = fields
        self._let_go = threading.Event()
        self._thread = threading.Thread(target=self._send)
        self._thread.start()

    def go_on(self) -> int:
        """Send the rest; the status of the answer, 0 when none came."""
        self._let_go.set()
        self._thread.join()
        return self.status

    def _send(self) -> None:
        query = {"digest": Digest.of(b"".join(_PIECES))}
        with suppress(httpx.TransportError):
            answer = httpx.request(
                self._method,
                self._url,
                params=query,
                content=self._pieces(),
                timeout=_SECONDS,
                auth=self._auth,
                headers=self._fields,
            )
            self.status = answer.status_code

    def _pieces(self) -> Iterator[bytes]:
        yield _PIECES[0]
        self._let_go.wait(_SECONDS)
        yield _PIECES[1]

"""The smallest HTTP client: one connection, kept open; it says whether a server was cut off or is silent."""

import http.client
from collections.abc import Mapping
from dataclasses import dataclass

SECONDS = 30


class CutOff(Exception):
    """The connection ended before there was an answer."""


class Silent(Exception):
    """A server that lives gave no answer in time."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back. Names of `fields` are in small letters."""

    status: int
    fields: Mapping[str, str]
    body: bytes


class Wire:
    """A caller's connection to a server on a port of the loopback interface."""

    def __init__(self, port: int) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=SECONDS)

    def ask(self, method: str, path: str, body: bytes = b"", **fields: str) -> Answer:
        """One request and its answer. Underscores in names of fields are hyphens.

        Raises:
            CutOff: the server has ended, before or during it.
            Silent: it has not answered.
        """
        try:
            named = {name.replace("_", "-"): value for name, value in fields.items()}
            self._connection.request(method, path, body or None, named)
            answer = self._connection.getresponse()
            content = answer.read()
        except TimeoutError as error:
            self._connection.close()
            raise Silent(f"no answer to {method} {path} in {SECONDS} seconds") from error
        except (OSError, http.client.HTTPException) as error:
            self._connection.close()
            raise CutOff(f"{method} {path}: {error!r}") from error
        return Answer(answer.status, {name.lower(): value for name, value in answer.getheaders()}, content)

    def close(self) -> None:
        """Let go of the connection."""
        self._connection.close()

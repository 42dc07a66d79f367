"""Files that come with the program: their bytes, and an ETag that changes with them."""

from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Self

from starlette.requests import Request
from starlette.responses import Response

from registry.api.responses import WholeResponse

_NOT_MODIFIED = 304


@dataclass(frozen=True, slots=True)
class FixedFile:
    """A file.

    Attributes:
        content: its bytes.
        media_type: of it.
        tag: its ETag.
    """

    content: bytes
    media_type: str
    tag: str

    @classmethod
    def read(cls, path: Path, media_type: str) -> Self:
        """The file at a path."""
        content = path.read_bytes()
        return cls(content, media_type, f'"{sha256(content).hexdigest()[:32]}"')

    def response(self, request: Request, more: Mapping[str, str] | None = None) -> Response:
        """The file, or 304 when the client has it; caches ask each time. `more`: further headers."""
        headers = {"ETag": self.tag, "Cache-Control": "no-cache", **(more or {})}
        if self.tag in request.headers.get("if-none-match", ""):
            return Response(status_code=_NOT_MODIFIED, headers=headers)
        return WholeResponse(self.content, headers=headers, media_type=self.media_type)

"""Lists of another registry, page by page: tags, repositories, referrers."""

import re
from collections.abc import AsyncIterator, Mapping
from typing import Any
from urllib.parse import urljoin, urlsplit

import httpx

from registry.registry_client.answer import Answer, error_of
from registry.registry_client.connection import Asked, Connection
from registry.registry_client.errors import Unusable

_NEXT = re.compile(r'<([^>]*)>\s*;[^,]*\brel\s*=\s*"?next"?', re.IGNORECASE)


async def pages(connection: Connection, first: Asked, what: str) -> AsyncIterator[Answer]:
    """The pages of a list, by their Link fields (RFC 8288), each from the registry itself.

    Raises:
        Absent: there is no such list.
        Unusable: the list has more than `pages` pages, or goes on elsewhere.
        RemoteError: see `Connection.exchange`.
    """
    endpoint, asked = connection.endpoint, first
    for _ in range(endpoint.limits.pages):
        answer = await connection.small(asked)
        if answer.status != httpx.codes.OK:
            raise error_of(endpoint, answer, what)
        yield answer
        link = _NEXT.search(answer.headers.get("link", ""))
        if link is None:
            return
        url = urlsplit(urljoin(urljoin(endpoint.url, asked.url), link[1]))
        # Path and query alone: a list goes on where it began, whatever host its registry believes to be.
        asked = Asked(first.method, f"{url.path}?{url.query}", first.scope, first.headers)
    raise Unusable(f"{endpoint.name} has more than {endpoint.limits.pages} pages of {what}: that is refused as endless")


def texts(page: Mapping[str, Any], member: str) -> list[str]:
    """The strings of a list on a page."""
    listed = page.get(member)
    return [text for text in listed if isinstance(text, str)] if isinstance(listed, list) else []

"""Writing to another registry: mounts, blobs, manifests."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from urllib.parse import quote, urljoin

import httpx

from registry.oci.digest import Digest
from registry.oci.names import Reference, RepositoryName
from registry.registry_client.answer import Answer, error_of, read_small
from registry.registry_client.connection import Asked, Connection
from registry.registry_client.errors import RemoteError, Unreachable, Unusable
from registry.registry_client.unfinished_uploads import UnfinishedUpload, UnfinishedUploads

Content = Callable[[int], AsyncIterator[bytes]]
"""The bytes of a blob from an offset on; called again when a registry took a part only."""

_PAUSE_SECONDS = 0.5
_TAKEN = frozenset({httpx.codes.OK, httpx.codes.CREATED, httpx.codes.ACCEPTED, httpx.codes.NO_CONTENT})


def push_scope(repository: str, source: str = "") -> str:
    """The scope of a token for writing to a repository, and reading from another (distribution's grammar)."""
    reading = f" repository:{source}:pull" if source else ""
    return f"repository:{repository}:pull,push{reading}"


class Pushes:
    """What is written to one registry. Everything raises RemoteError when the registry does not do it.

    Args:
        connection: to it.
        unfinished: where uploads are noted that a later process may go on with; `None`: they are not.
    """

    def __init__(self, connection: Connection, unfinished: UnfinishedUploads | None = None) -> None:
        self._connection = connection
        self._endpoint = connection.endpoint
        self._unfinished = unfinished

    async def has_blob(self, repository: RepositoryName, digest: Digest) -> bool:
        """Whether the repository holds the blob already."""
        asked = Asked("HEAD", f"/v2/{repository}/blobs/{digest}", push_scope(repository))
        answer = await self._connection.small(asked)
        if answer.status not in {httpx.codes.OK, httpx.codes.NOT_FOUND}:
            raise error_of(self._endpoint, answer, f"blob {digest} of {repository}")
        return answer.status == httpx.codes.OK

    async def mount(self, repository: RepositoryName, digest: Digest, source: RepositoryName) -> bool:
        """Link a blob of another repository of the same registry; `False`: it has to be sent."""
        query = f"mount={quote(digest, safe='')}&from={quote(source, safe='')}"
        asked = Asked("POST", f"/v2/{repository}/blobs/uploads/?{query}", push_scope(repository, source))
        answer = await self._connection.small(asked)
        if answer.status == httpx.codes.CREATED:
            return True
        if answer.status == httpx.codes.ACCEPTED and answer.headers.get("location"):
            # The registry has opened an upload instead: it is given up, as the blob's sender opens its own.
            location = urljoin(f"{self._endpoint.url}/v2/", answer.headers["location"])
            await self._connection.small(Asked("DELETE", location, push_scope(repository)))
        return False

    async def blob(self, repository: RepositoryName, digest: Digest, size: int, content: Content) -> None:
        """Send a blob of `size` bytes as a stream; what was cut is gone on with where the registry stands.

        Where uploads are noted, that is so too when an earlier process was cut off in the middle.

        Raises:
            Unusable: the registry refuses the content, or answers with nonsense.
            Unreachable: it was cut `attempts` times without progress.
        """
        if self._unfinished is None:
            await self._send(repository, digest, size, content, UnfinishedUpload())
            return
        with self._unfinished.sending(self._endpoint.url, repository, digest, size) as upload:
            await self._send(repository, digest, size, content, upload)

    async def _send(
        self, repository: RepositoryName, digest: Digest, size: int, content: Content, upload: UnfinishedUpload
    ) -> None:
        at, location = await self._opened(repository, size, upload)
        again, tries = at > 0, 0
        while at < size:
            try:
                answer = await self._patch(repository, location, content, range(at, size), again=again)
                at, location = size, self._next(location, answer)
            except Unreachable:
                await asyncio.sleep(_PAUSE_SECONDS)  # what is on its way still arrives
                before, again = at, True
                at, location = await self._standing(repository, location)
                tries = 1 if at > before else tries + 1
                if tries >= self._endpoint.limits.attempts:
                    raise
        await self._close(repository, digest, location)

    async def _close(self, repository: RepositoryName, digest: Digest, location: str) -> None:
        final = f"{location}{'&' if '?' in location else '?'}digest={quote(digest, safe='')}"
        asked = Asked("PUT", final, push_scope(repository), {"Content-Length": "0"})
        try:
            answer = await self._connection.small(asked)
        except Unreachable:  # before the registry took it, or after: that it has the blob says which
            if await self.has_blob(repository, digest):
                return
            answer = await self._connection.small(asked)
        self._require(answer, {httpx.codes.CREATED, httpx.codes.NO_CONTENT}, f"blob {digest} for {repository}")

    async def manifest(self, repository: RepositoryName, reference: Reference, raw: bytes, media_type: str) -> Digest:
        """Put a manifest whose content is there; returns the digest under which the registry has it.

        Raises:
            SignInRefused: it is refused, by a policy of that registry perhaps; the message has its reason.
            Unusable: it does not accept the manifest.
        """
        headers = {"Content-Type": media_type}
        path = f"/v2/{repository}/manifests/{reference}"
        answer = await self._connection.small(Asked("PUT", path, push_scope(repository), headers, raw))
        self._require(answer, {httpx.codes.CREATED, httpx.codes.OK}, f"manifest {reference} for {repository}")
        algorithm = reference.algorithm if isinstance(reference, Digest) else "sha256"
        digest = Digest.of(raw, algorithm)
        told = answer.headers.get("docker-content-digest", digest)
        if told != digest:
            raise Unusable(
                f"{self._endpoint.name} has kept {repository}:{reference} as {told[:200]}, sent was {digest}"
            )
        return digest

    async def _opened(self, repository: RepositoryName, size: int, upload: UnfinishedUpload) -> tuple[int, str]:
        """An upload that was left unfinished, where the registry still has it, or a new one; how much it has.

        Registries say in many ways that they do not go on with an upload: 404, 403 to somebody else's, 500 even.
        """
        if upload.location:
            with suppress(RemoteError):  # one that is away is told by the new one
                at, location = await self._standing(repository, upload.location)
                if at <= size:
                    return at, location
        upload.keep(await self._begin(repository))
        return 0, upload.location

    async def _begin(self, repository: RepositoryName) -> str:
        headers = {"Content-Length": "0"}
        asked = Asked("POST", f"/v2/{repository}/blobs/uploads/", push_scope(repository), headers)
        answer = await self._connection.small(asked)
        self._require(answer, {httpx.codes.ACCEPTED}, f"upload to {repository}")
        return self._next(asked.url, answer)

    async def _patch(
        self, repository: RepositoryName, location: str, content: Content, part: range, *, again: bool
    ) -> Answer:
        headers = {"Content-Type": "application/octet-stream", "Content-Length": str(len(part))}
        if again:
            headers["Content-Range"] = f"{part.start}-{part.stop - 1}"
        asked = Asked("PATCH", location, push_scope(repository), headers, lambda: content(part.start))
        async with self._connection.exchange(asked) as response:
            answer = await read_small(self._endpoint, response, self._endpoint.limits.page_bytes)
        if again and answer.status == httpx.codes.REQUESTED_RANGE_NOT_SATISFIABLE:
            raise Unreachable(f"{self._endpoint.name} has more or less of an upload to {repository} than it said")
        self._require(answer, _TAKEN, f"upload to {repository}")
        return answer

    async def _standing(self, repository: RepositoryName, location: str) -> tuple[int, str]:
        """How many bytes of an upload the registry has, and where it goes on."""
        answer = await self._connection.small(Asked("GET", location, push_scope(repository)))
        self._require(answer, _TAKEN, f"upload to {repository}")
        last = answer.headers.get("range", "").rpartition("-")[2]
        if not last.isdigit():
            raise Unusable(f"{self._endpoint.name} does not say how much of an upload to {repository} it has")
        return (int(last) + 1 if int(last) else 0), self._next(location, answer)

    def _next(self, location: str, answer: Answer) -> str:
        return urljoin(urljoin(self._endpoint.url, location), str(answer.headers.get("location", location)))

    def _require(self, answer: Answer, statuses: frozenset[int] | set[httpx.codes], what: str) -> None:
        if answer.status not in statuses:
            raise self._refusal(answer, what)

    def _refusal(self, answer: Answer, what: str) -> RemoteError:
        return error_of(self._endpoint, answer, what)

"""Reading from another registry: manifests, blobs, tags, referrers."""

import asyncio
import re
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass

import httpx

from registry.oci import media_types
from registry.oci.descriptor import Descriptor
from registry.oci.digest import Digest
from registry.oci.errors import DigestInvalid, OciError
from registry.oci.manifest import ImageIndex, parse_manifest
from registry.oci.names import Reference, RepositoryName, Tag
from registry.registry_client.answer import error_of, read_small
from registry.registry_client.connection import Asked, Connection
from registry.registry_client.errors import Absent, Unreachable, Unusable
from registry.registry_client.listing import pages, texts

ACCEPTED = ", ".join(sorted(media_types.MANIFESTS))
_CONTENT_RANGE = re.compile(r"bytes (\d+)-\d+/(\d+|\*)")
_PAUSE_SECONDS = 0.5
_IN_LOOP = 65536
"""Bytes of a list that are parsed in the event loop; longer ones are parsed in a thread."""


@dataclass(frozen=True, slots=True)
class RemoteManifest:
    """A manifest as the other registry has it; the bytes have the digest."""

    digest: Digest
    media_type: str
    raw: bytes


def pull_scope(repository: str) -> str:
    """The scope of a token for reading a repository."""
    return f"repository:{repository}:pull"


class Pulls:
    """What is read from one registry. Everything raises RemoteError when the registry does not do it."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._endpoint = connection.endpoint

    async def check(self) -> None:
        """Ask `/v2/`; raises Unusable when that is no registry, SignInRefused when credentials do not count."""
        answer = await self._connection.small(Asked("GET", "/v2/"))
        if answer.status != httpx.codes.OK:
            raise error_of(self._endpoint, answer, "answer at /v2/")

    async def manifest(
        self, repository: RepositoryName, reference: Reference, largest: int | None = None
    ) -> RemoteManifest:
        """The manifest that a tag or digest names, checked against its digest.

        Args:
            repository: where it is.
            reference: its tag or digest.
            largest: bytes; `None`: as the endpoint's limits say.

        Raises:
            Absent: there is none.
            Unusable: it is too large, or has another digest.
        """
        asked = self._manifest("GET", repository, reference)
        answer = await self._connection.small(asked, largest or self._endpoint.limits.manifest_bytes)
        if answer.status != httpx.codes.OK:
            raise error_of(self._endpoint, answer, f"manifest {repository}:{reference}")
        announced = reference if isinstance(reference, Digest) else self._digest(answer.headers)
        digest = Digest.of(answer.content, announced.algorithm if announced else "sha256")
        if announced not in {None, digest}:
            raise Unusable(
                f"{self._endpoint.name} sends a manifest with digest {digest} for {repository}:{reference}, announced "
                f"was {announced}: it was not taken"
            )
        media_type = media_types.without_parameters(answer.headers.get("content-type", ""))
        return RemoteManifest(digest, media_type, answer.content)

    async def resolve(self, repository: RepositoryName, reference: Reference) -> Digest:
        """The digest that a tag names, by HEAD; by GET where a registry does not tell it so.

        Raises:
            Absent: there is none.
        """
        answer = await self._connection.small(self._manifest("HEAD", repository, reference))
        if answer.status in {httpx.codes.NOT_FOUND, httpx.codes.TOO_MANY_REQUESTS}:
            raise error_of(self._endpoint, answer, f"manifest {repository}:{reference}")
        told = self._digest(answer.headers) if answer.status == httpx.codes.OK else None
        return told or (await self.manifest(repository, reference)).digest

    async def blob_size(self, repository: RepositoryName, digest: Digest) -> int | None:
        """The size in bytes of a blob, by HEAD; `None` where there is none, or the registry does not tell."""
        answer = await self._connection.small(Asked("HEAD", _blob(repository, digest), pull_scope(repository)))
        if answer.status == httpx.codes.NOT_FOUND:
            return None
        if answer.status != httpx.codes.OK:
            raise error_of(self._endpoint, answer, f"blob {digest} of {repository}")
        length = answer.headers.get("content-length", "")
        return int(length) if length.isascii() and length.isdigit() else None

    async def blob(self, repository: RepositoryName, digest: Digest, size: int, start: int = 0) -> AsyncIterator[bytes]:
        """The bytes of a blob from `start` on; what is cut is gone on with, by Range.

        Exactly `size - start` bytes come. That they have the digest is the business of whoever keeps them.

        Raises:
            Absent: there is no such blob.
            Unusable: it has another size.
            Unreachable: it was cut `attempts` times without a byte between.
        """
        at, tries = start, 0
        while at < size:
            before = at
            try:
                async for piece in self._part(repository, digest, size, at):
                    at += len(piece)
                    yield piece
            except Unreachable as error:
                tries = 1 if at > before else tries + 1
                if tries >= self._endpoint.limits.attempts:
                    raise
                await asyncio.sleep(min(error.retry_after or _PAUSE_SECONDS * tries, _PAUSE_SECONDS * 10))

    async def tags(self, repository: RepositoryName) -> AsyncIterator[Tag]:
        """The tags of a repository. Texts that are no tags are left out. Raises Absent when there is no repository."""
        asked = Asked("GET", f"/v2/{repository}/tags/list", pull_scope(repository))
        async for page in pages(self._connection, asked, f"tags of {repository}"):
            for text in texts(page.json(), "tags"):
                try:
                    yield Tag.parse(text)
                except OciError:
                    continue

    async def repositories(self) -> AsyncIterator[RepositoryName]:
        """The repositories of the registry, where it lists them. Texts that are no names are left out."""
        async for page in pages(self._connection, Asked("GET", "/v2/_catalog", "registry:catalog:*"), "repositories"):
            for text in texts(page.json(), "repositories"):
                try:
                    yield RepositoryName.parse(text)
                except OciError:
                    continue

    async def referrers(self, repository: RepositoryName, subject: Digest) -> tuple[Descriptor, ...]:
        """The manifests whose subject it is, from the referrers list, or the tag that stands for it.

        Past the limit of the endpoint no further page is read.

        Raises:
            Unusable: what stands there is no index.
        """
        asked = Asked("GET", f"/v2/{repository}/referrers/{subject}", pull_scope(repository))
        found: list[Descriptor] = []
        try:
            async for page in pages(self._connection, asked, f"referrers of {subject}"):
                found += await self._entries(page.content)
                if len(found) > self._endpoint.limits.referrers:
                    break
        except Absent:
            return await self._tagged_referrers(repository, subject)
        return tuple(found)

    async def _tagged_referrers(self, repository: RepositoryName, subject: Digest) -> tuple[Descriptor, ...]:
        """What clients keep for registries without referrers (distribution-spec, "Referrers Tag Schema")."""
        tag = Tag(f"{subject.algorithm[:32]}-{subject.encoded[:64]}")
        try:
            return tuple(await self._entries((await self.manifest(repository, tag)).raw))
        except Absent:
            return ()

    async def _entries(self, raw: bytes) -> tuple[Descriptor, ...]:
        try:
            if len(raw) <= _IN_LOOP:
                index = parse_manifest(raw, media_types.OCI_INDEX)
            else:
                index = await asyncio.to_thread(parse_manifest, raw, media_types.OCI_INDEX)
        except OciError as error:
            raise Unusable(f"{self._endpoint.name} gives a list of referrers that is none: {error.message}") from None
        return index.manifests if isinstance(index, ImageIndex) else ()

    async def _part(self, repository: RepositoryName, digest: Digest, size: int, start: int) -> AsyncIterator[bytes]:
        headers = {"Range": f"bytes={start}-"} if start else {}
        asked = Asked("GET", _blob(repository, digest), pull_scope(repository), headers)
        async with self._connection.exchange(asked) as response:
            skip = await self._begins_at(response, digest, size, start)
            left = size - start + skip
            async for piece in self._not_too_slowly(response):
                left -= len(piece)
                if left < 0:
                    raise self._wrong_size(digest, size, f"more than {size}")
                fresh, skip = piece[skip:], max(0, skip - len(piece))
                if fresh:
                    yield fresh
            if left:
                raise Unreachable(f"{self._endpoint.name} ended {left} bytes before the end of {digest}: try again")

    async def _begins_at(self, response: httpx.Response, digest: Digest, size: int, start: int) -> int:
        """How many bytes of the body come before `start`; raises when the answer is not the blob's."""
        expected = httpx.codes.PARTIAL_CONTENT if start else httpx.codes.OK
        if response.status_code not in {expected, httpx.codes.OK}:
            answer = await read_small(self._endpoint, response, self._endpoint.limits.page_bytes)
            raise error_of(self._endpoint, answer, f"blob {digest}")
        if response.headers.get("content-encoding", "identity") != "identity":
            raise Unusable(
                f"{self._endpoint.name} sends {digest} re-encoded, which changes its bytes: nothing was taken"
            )
        begins = start if response.status_code == httpx.codes.PARTIAL_CONTENT else 0
        if begins:
            told = _CONTENT_RANGE.fullmatch(response.headers.get("content-range", ""))
            if told is None or int(told[1]) != start or told[2] not in {"*", str(size)}:
                raise self._wrong_size(digest, size, f"the part {response.headers.get('content-range', '')[:80]!r}")
        length = response.headers.get("content-length", "")
        if length.isascii() and length.isdigit() and int(length) != size - begins:
            raise self._wrong_size(digest, size, f"{length[:30]} from byte {begins}")
        return start - begins

    async def _not_too_slowly(self, response: httpx.Response) -> AsyncIterator[bytes]:
        """The pieces; raises Unreachable when they drip."""
        limits = self._endpoint.limits
        since, came = time.monotonic(), 0
        async for piece in response.aiter_raw():
            came += len(piece)
            yield piece
            if (passed := time.monotonic() - since) >= limits.silence_seconds:
                if came < limits.least_rate * passed:
                    raise Unreachable(f"{self._endpoint.name} sent {came} bytes in {passed:.0f} s: that is too slow")
                since, came = time.monotonic(), 0

    def _wrong_size(self, digest: Digest, size: int, found: str) -> Unusable:
        return Unusable(
            f"{self._endpoint.name} sends {found} bytes for {digest}, the manifest says {size}: nothing of it was taken"
        )

    def _manifest(self, method: str, repository: RepositoryName, reference: Reference) -> Asked:
        path = f"/v2/{repository}/manifests/{reference}"
        return Asked(method, path, pull_scope(repository), {"Accept": ACCEPTED})

    def _digest(self, headers: httpx.Headers) -> Digest | None:
        text = headers.get("docker-content-digest")
        if not text:
            return None
        try:
            return Digest.parse(text)
        except DigestInvalid as error:
            raise Unusable(f"{self._endpoint.name} names a digest that is none: {error.message}") from None


def _blob(repository: RepositoryName, digest: Digest) -> str:
    return f"/v2/{repository}/blobs/{digest}"

"""Contexts that are sent for a build: kept as files until the build takes them, or their address ends."""

import asyncio
import re
import secrets
import shutil
from collections.abc import AsyncIterable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from weakref import WeakSet

from policy.azure.arm_errors import ArmError
from policy.azure.builds.settings import BuildSettings
from policy.azure.expiring import Expiring
from registry.oci.errors import ContentTooLarge

_LOCATION = re.compile(r"source/([A-Za-z0-9_-]{8,64})/context\.tar\.gz")
_BLOCK_ID = re.compile(r"[A-Za-z0-9+/=_-]{1,128}")
_LISTED = re.compile(rb"<(?:Latest|Uncommitted)>([^<]{1,128})</")
_MOST = 100_000
_BLOCKS_MAXIMUM = 50_000


@dataclass(slots=True, weakref_slot=True, eq=False)
class Context:
    """A context on its way.

    Attributes:
        id: names it; its file as well.
        key: the secret in its address.
        owner: id of the principal that may have it built.
        path: where its bytes are.
        whole: whether all of it has come.
        blocks: ids of the pieces that have come, when it comes in pieces.
        size: bytes that have come.
    """

    id: str
    key: str
    owner: str
    path: Path
    whole: bool = False
    blocks: list[str] = field(default_factory=list)
    size: int = 0

    @property
    def location(self) -> str:
        """What `scheduleRun` names it by."""
        return f"source/{self.id}/context.tar.gz"


class Contexts:
    """All contexts that wait for their build. What was sent to a server that has ended is gone.

    Args:
        folder: where they are; made, and emptied.
        settings: section `azure.builds`, as it is now.
    """

    def __init__(self, folder: Path, settings: Callable[[], BuildSettings]) -> None:
        self._folder = folder
        self._settings = settings
        own = settings()
        share = max(1, (own.waiting + own.at_once) // 4)
        self._held: Expiring[Context] = Expiring(_MOST, own.link_seconds, share=share)
        self._taken: WeakSet[Context] = WeakSet()  # as long as a build has one, its file stays
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.sweep()

    def begin(self, owner: str) -> Context:
        """A place for a context.

        A principal has a quarter of the builds that may wait; then its oldest makes way. Nobody's context is pushed
        out by others, however many there are.

        Raises:
            ArmError: the disk has no room for one.
        """
        own = self._settings()
        if shutil.disk_usage(self._folder).free < own.free_bytes + own.context_bytes:
            raise ArmError(
                507, "InsufficientStorage", "the registry's disk has no room for a context: tell its operator"
            )
        context_id = secrets.token_urlsafe(16)
        context = Context(context_id, secrets.token_urlsafe(32), owner, self._folder / f"{context_id}.tar.gz")
        self._held.put(context_id, context, owner)
        self.sweep()
        return context

    def sweep(self) -> None:
        """Remove the files of those that neither wait for their build nor have one."""
        taken = {context.path for context in self._taken}
        for path in self._folder.iterdir():
            if path not in taken and self._held.get(path.name.partition(".")[0]) is None:
                path.unlink(missing_ok=True)

    def addressed(self, context_id: str, key: str) -> Context:
        """The context of an address.

        Raises:
            ArmError: there is none, or its time is over, or the secret is wrong (403).
        """
        context = self._held.get(context_id)
        if context is None or not secrets.compare_digest(context.key.encode(), key.encode("utf-8", "replace")):
            raise ArmError(403, "AuthenticationFailed", "this address is not known or has ended: begin the build again")
        return context

    async def receive(self, context: Context, body: AsyncIterable[bytes]) -> None:
        """Take a context in one piece.

        Raises:
            ContentTooLarge: it is too large (413); nothing of it is kept.
        """
        context.whole = False
        context.size, context.blocks = 0, []
        await self._write(context, body, "wb")
        context.whole = True

    async def receive_block(self, context: Context, block: str, body: AsyncIterable[bytes]) -> None:
        """Take the next piece of one that comes in pieces, one after another (Put Block).

        Raises:
            ArmError: the piece has no id.
            ContentTooLarge: the context grows too large.
        """
        if not _BLOCK_ID.fullmatch(block) or len(context.blocks) >= _BLOCKS_MAXIMUM:
            raise ArmError(400, "InvalidQueryParameterValue", "blockid is missing or not base64, or there are too many")
        context.whole = False
        await self._write(context, body, "ab" if context.blocks else "wb")
        context.blocks.append(block)

    def commit(self, context: Context, listed: bytes) -> None:
        """All pieces have come (Put Block List).

        Raises:
            ArmError: the list is not that of the pieces, in the order in which they came.
        """
        if [block.decode("ascii", "replace") for block in _LISTED.findall(listed)] != context.blocks:
            raise ArmError(
                400, "InvalidBlockList", "the list is not that of the blocks in the order in which they came"
            )
        context.whole = True

    def take(self, location: str, owner: str) -> Context:
        """The context that a build is to be made of, which nobody else can take then.

        Raises:
            ArmError: there is none, of this principal, that has come whole.
        """
        named = _LOCATION.fullmatch(location)
        context = self._held.get(named[1]) if named else None
        if context is None or context.owner != owner or not context.whole:
            message = f"no context was sent to {location[:200]!r}: ask for an address, send it there, then build"
            raise ArmError(400, "InvalidSourceLocation", message)
        self._held.take(context.id)
        self._taken.add(context)
        return context

    async def _write(self, context: Context, body: AsyncIterable[bytes], mode: str) -> None:
        most = self._settings().context_bytes
        with context.path.open(mode) as file:
            try:
                async for piece in body:
                    context.size += len(piece)
                    _require(context.size, most)
                    await asyncio.to_thread(file.write, piece)
            except BaseException:
                self._held.take(context.id)
                context.path.unlink(missing_ok=True)
                raise


def _require(size: int, most: int) -> None:
    if size > most:
        raise ContentTooLarge(
            f"the context is larger than {most} bytes: leave files out in .dockerignore", {"maximum": most}
        )

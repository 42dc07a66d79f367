"""Access to blobs: a blob may be pulled if the manifests of its repository that name it allow it."""

import asyncio
from collections.abc import Awaitable, Callable

from policy.state import State
from registry.gate import ALLOWED, Decision
from registry.metadata.reachability import manifests_using
from registry.metadata.store import MetadataStore
from registry.oci.digest import Digest
from registry.oci.names import RepositoryName

_REMEMBERED = 50_000
_TURN = 100
"""Manifests that are asked about before others get their turn."""

Stands = Callable[[Digest], Awaitable[tuple[State, Decision]]]
"""The state of a manifest, and whether somebody who only pulls may have it."""


class BlobAccess:
    """Decides for callers that only pull: alike for all, so that decisions can be cached."""

    def __init__(self, metadata: MetadataStore, generation: Callable[[], int]) -> None:
        """`generation`: the gate's; cached decisions are valid while it and the rows do not change."""
        self._metadata = metadata
        self._generation = generation
        self._decisions: dict[tuple[str, str], Decision] = {}
        self._at = (-1, -1)

    async def decide(self, repository: RepositoryName, digest: Digest, stands: Stands) -> Decision:
        """Whether the blob may be pulled.

        An image that names the blob and may be pulled allows it. Other manifests allow it only if no withheld image
        names it: an artifact is what its pusher says it is, and could carry any layer past the gate. So could an index
        that names blobs, as older BuildKit caches do. Indexes of the manifests are not considered: an index may be
        cleared although a member is not, if the policy does not judge that member.
        """
        now = self._now()
        if now != self._at or len(self._decisions) > _REMEMBERED:
            self._decisions.clear()
            self._at = now
        decision = self._decisions.get((repository, digest))
        if decision is None:
            decision = await self._decide(repository, digest, stands)
            if now == self._at == self._now():
                self._decisions[repository, digest] = decision
        return decision

    def _now(self) -> tuple[int, int]:
        return self._metadata.generation(), self._generation()

    async def _decide(self, repository: RepositoryName, digest: Digest, stands: Stands) -> Decision:
        opening, barring, others = False, "", ""
        users = await self._metadata.read(manifests_using, repository, digest)
        for number, (manifest, is_index) in enumerate(users.items(), 1):
            state, decision = await stands(manifest)
            is_image = not is_index and state is not State.NOT_APPLICABLE
            if decision.allowed and is_image:
                return ALLOWED
            if decision.allowed:
                opening = True
            elif not is_image:
                others = decision.message
            else:
                barring = decision.message
            if number % _TURN == 0:
                await asyncio.sleep(0)
        if opening and not barring:
            return ALLOWED
        return Decision(False, _reason(barring, others, opening=opening), {"digest": digest})


def _reason(barring: str, others: str, *, opening: bool) -> str:
    if opening:
        return f"an image that is not cleared uses it, and none that is: {barring}"
    if barring or others:
        return f"only images that are not cleared use it: {barring or others}"
    return "no manifest of this repository uses it"

"""Referrers of a withheld manifest are withheld with it, through chains of subjects too."""

from collections.abc import Awaitable, Callable, Collection

from registry.gate import Decision
from registry.metadata import manifests, referrers
from registry.metadata.store import MetadataStore
from registry.oci.digest import Digest
from registry.oci.names import RepositoryName

DEPTH = 16
"""Subjects that are looked at one above the other; what is longer is withheld."""
_REMEMBERED = 50_000
_TOO_LONG = Decision(False, f"it refers to manifests through more than {DEPTH} others, which is not followed")

Own = Callable[[Digest], Awaitable[Decision]]
"""What is decided of one manifest for what it is itself, whatever it refers to."""


class Referrals:
    """Finds the withheld subject of a manifest. Subjects are cached by digest; most manifests have none."""

    def __init__(self, metadata: MetadataStore) -> None:
        self._metadata = metadata
        self._subjects: dict[Digest, Digest | None] = {}

    async def withheld(self, repository: RepositoryName, digest: Digest, own: Own) -> tuple[Digest, Decision] | None:
        """The nearest subject in the chain that may not be pulled, and why; `None` when there is none.

        A subject that the repository does not hold withholds nothing; the chain ends there.
        """
        current = digest
        for _ in range(DEPTH):
            subject = await self._subject(repository, current)
            if subject is None or await self._metadata.read(manifests.find, repository, subject) is None:
                return None
            decision = await own(subject)
            if not decision.allowed:
                return subject, decision
            current = subject
        return current, _TOO_LONG

    async def withheld_among(self, repository: RepositoryName, digests: Collection[Digest], own: Own) -> set[Digest]:
        """Those of many manifests that have a withheld subject; a subject that they share is checked once."""
        await self._learn(repository, digests)
        closed: dict[Digest, bool] = {}
        withheld = set()
        for digest in digests:
            subject = self._subjects.get(digest)
            if subject is None:
                continue
            if subject not in closed:
                closed[subject] = await self.withheld(repository, digest, own) is not None
            if closed[subject]:
                withheld.add(digest)
        return withheld

    async def _subject(self, repository: RepositoryName, digest: Digest) -> Digest | None:
        if digest not in self._subjects:
            await self._learn(repository, [digest])
        return self._subjects.get(digest)

    async def _learn(self, repository: RepositoryName, digests: Collection[Digest]) -> None:
        """Cache the subjects: a subject is part of the manifest's bytes and never changes."""
        unknown = [digest for digest in digests if digest not in self._subjects]
        if not unknown:
            return
        if len(self._subjects) >= _REMEMBERED:
            self._subjects.clear()
            unknown = list(digests)
        self._subjects |= await self._metadata.read(referrers.subjects_of, repository, unknown)

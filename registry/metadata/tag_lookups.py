"""What tags stand for, asked of the database for each request, and in one question for all that ask at once.

A read sees whatever was acknowledged before it, and a tag of several nodes is one register
(docs/adr/0074-nodes-ask-what-a-tag-stands-for.md, docs/adr/0076-reads-of-tags-share-a-question.md).
"""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from registry.database.shared_question import SharedQuestion, Source, array
from registry.metadata.manifests import ManifestRow
from registry.oci.digest import Digest
from registry.oci.names import RepositoryName, Tag

STATEMENT = """
SELECT asked.place, repositories.id IS NOT NULL, found.digest, found.media_type, found.size,
  EXISTS (SELECT FROM locks WHERE locks.repository_id = repositories.id AND locks.reads), pg_current_snapshot()
FROM unnest($1::text[], $2::text[]) WITH ORDINALITY AS asked(repository, tag, place)
LEFT JOIN repositories ON repositories.name = asked.repository
LEFT JOIN LATERAL (
  SELECT manifests.digest, manifests.media_type, manifests.size FROM tags
  JOIN manifests ON manifests.repository_id = tags.repository_id AND manifests.digest = tags.digest
  WHERE tags.repository_id = repositories.id AND tags.name = asked.tag
) AS found ON true
"""


@dataclass(frozen=True, slots=True)
class Tagged:
    """What a tag stands for.

    Attributes:
        is_repository: whether the repository exists.
        row: the manifest, if there is one.
        snapshot: names what had been committed when the question was answered; the same name, the same rows, of all
            tables (https://www.postgresql.org/docs/current/functions-info.html#FUNCTIONS-INFO-SNAPSHOT).
    """

    is_repository: bool
    row: ManifestRow | None
    snapshot: bytes


Key = tuple[RepositoryName, Tag]
NOTHING: Key = (RepositoryName(""), Tag(""))
"""Asked for by who wants to know the snapshot alone."""
Answered = Callable[[Tagged | Exception], None]
"""Called in the event loop, once, and never before the question was put."""


class TagLookups(SharedQuestion[Key, Tagged]):
    """The look-ups of one event loop.

    Args:
        source: where questions go; its statement is `STATEMENT`.
        loop: the event loop.

    Attributes:
        snapshot: the last that was heard of; `None` before the first.
    """

    def __init__(self, source: Source, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(source, loop)
        self.snapshot: bytes | None = None

    def ask(self, repository: RepositoryName, tag: Tag, answered: Answered) -> None:
        """Have `answered` called with what the tag stands for, or with the error that says why nobody knows."""
        self.ask_for((repository, tag), answered)

    async def find(self, repository: RepositoryName, tag: Tag) -> Tagged:
        """What the tag stands for. Raises Unavailable when the database does not say."""
        return await self.answer_for((repository, tag))

    def _parameters(self, keys: Iterable[Key]) -> list[bytes]:
        keys = list(keys)
        return [array(repository for repository, _ in keys), array(tag for _, tag in keys)]

    def _take(self, rows: list[Any]) -> Sequence[Tagged]:
        self.snapshot = rows[0][-1]
        return [_tagged(row) for row in rows]


def _tagged(row: Any) -> Tagged:
    _, is_repository, digest, media_type, size, may_be_locked, snapshot = row
    if digest is None:
        return Tagged(is_repository == b"t", None, snapshot)
    found = ManifestRow(Digest(digest.decode()), media_type.decode(), int(size), may_be_locked == b"t")
    return Tagged(is_repository=True, row=found, snapshot=snapshot)

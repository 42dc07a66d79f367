"""What a request for an upload has to know of the rows, in one question for all that ask at once."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from registry.database.shared_question import SharedQuestion, array
from registry.metadata.shared_uploads import SharedUpload
from registry.oci.names import RepositoryName

STATEMENT = """
SELECT asked.place,
  EXISTS (SELECT FROM repositories JOIN locks ON locks.repository_id = repositories.id
    WHERE repositories.name = asked.repository AND locks.writes),
  uploads.id, uploads.repository, uploads.algorithm, uploads.principal, uploads.started, uploads.size, uploads.digest
FROM unnest($1::text[], $2::text[]) WITH ORDINALITY AS asked(repository, upload, place)
LEFT JOIN uploads ON uploads.id = asked.upload
"""
Key = tuple[RepositoryName | str, str]
"""A repository and the id of an upload; either may be empty: nobody wants to know."""


@dataclass(frozen=True, slots=True)
class UploadState:
    """What the database says.

    Attributes:
        may_be_locked: whether there is a lock against writes in the repository.
        upload: the row of the upload, if there is one.
    """

    may_be_locked: bool
    upload: SharedUpload | None


class UploadLookups(SharedQuestion[Key, UploadState]):
    """The look-ups of one event loop; the statement of its source is `STATEMENT`."""

    def _parameters(self, keys: Iterable[Key]) -> list[bytes]:
        keys = list(keys)
        return [array(repository for repository, _ in keys), array(upload for _, upload in keys)]

    def _take(self, rows: list[Any]) -> Sequence[UploadState]:
        return [UploadState(locked == b"t", _upload(*columns)) for _, locked, *columns in rows]


def _upload(*columns: bytes | None) -> SharedUpload | None:
    texts = [column.decode() for column in columns if column is not None]
    if not texts:
        return None
    upload, repository, algorithm, principal, started, size, digest = texts
    return SharedUpload(upload, repository, algorithm, principal, float(started), int(size), digest)

"""Whether content may come to a repository."""

from registry.metadata import locks
from registry.metadata.store import MetadataStore
from registry.oci.names import RepositoryName


async def require_writable(metadata: MetadataStore, repository: RepositoryName) -> None:
    """Check that a repository is not locked against writes; many that ask at once share the question.

    Raises:
        Locked: it is.
    """
    lookups = metadata.upload_lookups()
    if lookups is None or (await lookups.answer_for((repository, ""))).may_be_locked:
        await metadata.read(locks.require_writable, repository)

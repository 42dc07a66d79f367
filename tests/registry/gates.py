"""Gates that decide as a test says, and remember what they were asked."""

from collections.abc import Collection

from registry.auth.principals import Principal
from registry.gate import ALLOWED, Arrival, Decision, OpenGate, Push
from registry.oci.digest import Digest
from registry.oci.names import RepositoryName, Tag
from registry.storage.blob_store import StagedBytes

REFUSED = Decision(allowed=False, message="not cleared: Python 3.7.0 found", detail={"rule": "python"})


class Follower:
    """Writes down what it is told of one upload."""

    def __init__(self, staging: StagedBytes) -> None:
        self.staging = staging
        self.curious = True
        self.told: list[tuple[str, object]] = []

    def wrote(self, size: int) -> bool:
        """The upload has so many bytes."""
        self.told.append(("wrote", size))
        return self.curious

    def committed(self, digest: Digest, size: int) -> None:
        """The upload is a blob."""
        self.told.append(("committed", (digest, size)))

    def aborted(self) -> None:
        """Nothing comes of the upload."""
        self.told.append(("aborted", None))


class GateOfTests(OpenGate):
    """Refuses pushes or content that are named, follows every upload."""

    def __init__(self) -> None:
        self.refused: set[str] = set()
        self.push = ALLOWED
        self.pushes: list[Push] = []
        self.followers: list[Follower] = []

    def arriving(self, repository: RepositoryName, staging: StagedBytes) -> Arrival | None:  # noqa: ARG002
        """Follow it."""
        self.followers.append(Follower(staging))
        return self.followers[-1]

    async def before_push(self, push: Push) -> Decision:
        """As `push` says."""
        self.pushes.append(push)
        return self.push

    async def before_manifest_pull(
        self,
        principal: Principal,  # noqa: ARG002
        repository: RepositoryName,  # noqa: ARG002
        digest: Digest,
        tag: Tag | None,  # noqa: ARG002
    ) -> Decision:
        """Refuse what is named."""
        return REFUSED if digest in self.refused else ALLOWED

    async def withheld(
        self,
        principal: Principal,  # noqa: ARG002
        repository: RepositoryName,  # noqa: ARG002
        digests: Collection[Digest],
    ) -> Collection[Digest]:
        """What is named."""
        return [digest for digest in digests if digest in self.refused]

    async def before_blob_pull(
        self,
        principal: Principal,  # noqa: ARG002
        repository: RepositoryName,  # noqa: ARG002
        digest: Digest,
    ) -> Decision:
        """Refuse what is named."""
        return REFUSED if digest in self.refused else ALLOWED

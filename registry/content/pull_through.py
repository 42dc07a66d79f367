"""Where content comes from that a repository does not hold yet: the question that services ask before they look."""

import math
from collections.abc import Sequence
from typing import Protocol

from registry.config.upstreams import UpstreamSettings, upstream_of
from registry.oci.digest import Digest
from registry.oci.errors import Denied
from registry.oci.names import Reference, RepositoryName


class PullThrough(Protocol):
    """Other registries, behind repositories of this one. Everything comes in as a push would."""

    def covers(self, repository: RepositoryName) -> bool:
        """Whether the repository is filled from elsewhere; for the others nothing else is asked."""
        ...

    def fresh_seconds(self, repository: RepositoryName) -> float:
        """How long an answer about what changes there, such as a tag, may be given again without asking here."""
        ...

    async def bring_manifest(self, repository: RepositoryName, reference: Reference) -> tuple[str, ...]:
        """Have the manifest and its content here, if they are there; returns warnings for the caller.

        Raises:
            ManifestUnknown: there is none.
            UpstreamUnavailable: it is on its way, or cannot be had now; the message says why.
        """
        ...

    async def bring_referrers(self, repository: RepositoryName, subject: Digest) -> None:
        """Have the manifests that refer to one here, as far as they can be had now."""
        ...

    def require_pushable(self, repository: RepositoryName) -> None:
        """Raise Denied when nobody may push there."""
        ...


class NoPullThrough:
    """All there is, was pushed."""

    def covers(self, repository: RepositoryName) -> bool:  # noqa: ARG002
        """No repository."""
        return False

    def fresh_seconds(self, repository: RepositoryName) -> float:  # noqa: ARG002
        """As long as nothing is written."""
        return math.inf

    async def bring_manifest(self, repository: RepositoryName, reference: Reference) -> tuple[str, ...]:  # noqa: ARG002
        """Nothing comes."""
        return ()

    async def bring_referrers(self, repository: RepositoryName, subject: Digest) -> None:
        """Nothing comes."""

    def require_pushable(self, repository: RepositoryName) -> None:
        """Everybody may who has the right."""


class OfflineUpstreams:
    """Upstreams that are not asked, of a data folder that a command works on; pushes are as the settings say."""

    def __init__(self, upstreams: Sequence[UpstreamSettings]) -> None:
        self._upstreams = upstreams

    def covers(self, repository: RepositoryName) -> bool:
        """Whether the repository has an upstream."""
        return upstream_of(self._upstreams, repository) is not None

    def fresh_seconds(self, repository: RepositoryName) -> float:  # noqa: ARG002
        """As long as nothing is written."""
        return math.inf

    async def bring_manifest(self, repository: RepositoryName, reference: Reference) -> tuple[str, ...]:  # noqa: ARG002
        """Nothing comes."""
        return ()

    async def bring_referrers(self, repository: RepositoryName, subject: Digest) -> None:
        """Nothing comes."""

    def require_pushable(self, repository: RepositoryName) -> None:
        """Raise Denied where the settings refuse pushes to the repositories of an upstream."""
        require_pushable(self._upstreams, repository)


def require_pushable(upstreams: Sequence[UpstreamSettings], repository: RepositoryName) -> None:
    """Raise Denied where the settings refuse pushes to the repositories of an upstream."""
    upstream = upstream_of(upstreams, repository)
    if upstream is not None and upstream.local_pushes == "refuse":
        raise Denied(
            f"{repository} is filled from {upstream.host}, and takes no pushes: push to a repository outside "
            f"{upstream.prefix}/, or set local_pushes of that upstream to win"
        )


NO_PULL_THROUGH = NoPullThrough()

"""The request at an access point: may this manifest be served, or recorded?"""

from dataclasses import dataclass, replace
from typing import Self

from policy.decision import AccessPoint, Question
from policy.enforcement.assignments import Bound
from policy.enforcement.denial import named
from policy.state import State
from registry.oci.digest import Digest
from registry.oci.names import RepositoryName, Tag


@dataclass(frozen=True, slots=True)
class AccessRequest:
    """A request for a decision on one manifest.

    Attributes:
        point: the access point.
        bound: policy and mode of the repository at the time of the request: they may change while layers are inspected.
        repository: where the manifest is, or is about to be.
        digest: its name.
        tag: the requested tag.
        may_push: whether the caller may push there; `False` for a decision that is valid for all who only pull.
        mirrored: whether the manifest is about to come from an upstream.
    """

    point: AccessPoint
    bound: Bound
    repository: RepositoryName
    digest: Digest
    tag: Tag | None = None
    may_push: bool = False
    mirrored: bool = False

    @property
    def name(self) -> str:
        """The manifest as people write it."""
        return named(self.repository, self.tag or self.digest)

    def question(self, state: State, *, missing: bool = False) -> Question:
        """The question for `policy.decision.decide`, which needs the state."""
        return Question(self.point, state, self.bound.mode, self.may_push, missing=missing)

    def of_subject(self, subject: Digest) -> Self:
        """The request of a caller that only pulls for a subject of this manifest."""
        return replace(self, point=AccessPoint.MANIFEST, digest=subject, tag=None, may_push=False)

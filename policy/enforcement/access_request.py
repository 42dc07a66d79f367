"""What is asked at a point of access: may this manifest be handed out, or recorded?"""

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
    """One question about one manifest.

    Attributes:
        point: where it is asked.
        bound: policy and mode of the repository when it was asked: they may be replaced while layers are waited for.
        repository: where the manifest is, or is about to be.
        digest: its name.
        tag: the tag that it was asked for by.
        may_push: whether the caller may push there; a question on behalf of all who only pull leaves it out.
    """

    point: AccessPoint
    bound: Bound
    repository: RepositoryName
    digest: Digest
    tag: Tag | None = None
    may_push: bool = False

    @property
    def name(self) -> str:
        """The manifest as people write it."""
        return named(self.repository, self.tag or self.digest)

    def question(self, state: State, *, missing: bool = False) -> Question:
        """The same for `policy.decision.decide`, which needs the state."""
        return Question(self.point, state, self.bound.mode, self.may_push, missing=missing)

    def of_subject(self, subject: Digest) -> Self:
        """The question of somebody who only pulls about a manifest that this one refers to."""
        return replace(self, point=AccessPoint.MANIFEST, digest=subject, tag=None, may_push=False)

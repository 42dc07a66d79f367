"""The gate for references, as the gateway needs it: what the policy says of one manifest to one caller."""

import math
from dataclasses import dataclass
from typing import Any, Protocol

from policy.assessment.verdict import Verdict
from policy.inspection.facts import ImageFacts
from registry.auth.principals import Principal
from registry.gate import Decision
from registry.oci.digest import Digest
from registry.oci.names import RepositoryName


@dataclass(frozen=True, slots=True)
class Assessment:
    """The assessment of a manifest.

    Attributes:
        verdict: what the policy says; `None` while it is pending.
        decision: the gate's, for a deployment.
        policy: `{"name", "digest"}` of the repository's policy.
    """

    verdict: Verdict | None
    decision: Decision
    policy: dict[str, Any]


class ReferenceGate(Protocol):
    """Assesses an image that is referenced for a deployment."""

    async def standing(
        self, principal: Principal, repository: RepositoryName, digest: Digest, at_most: float = math.inf
    ) -> Assessment:
        """Verdict and decision, judged on demand; waits for its layers so many seconds at most, if not fewer."""
        ...

    async def image_facts(self, repository: RepositoryName, digest: Digest) -> ImageFacts | None:
        """All facts of an image; `None` for an index, an artifact, or while inspection goes on."""
        ...

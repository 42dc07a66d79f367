"""Checks: resolve a reference to a digest, and decide whether a deployment may start from it."""

import math
from dataclasses import replace
from typing import Any

from policy.enforcement.reference_gate import Assessment, ReferenceGate
from policy.gateway.check_result import CheckResult
from policy.gateway.image_platforms import ImagePlatforms, on_platform
from policy.gateway.inference_config.remarks import Remark, Weight
from policy.gateway.nearby_tags import not_here
from policy.inspection.facts_json import facts_document
from policy.state import State
from registry.auth.principals import Principal
from registry.metadata import locks, manifests
from registry.metadata.store import MetadataStore
from registry.oci.digest import Digest
from registry.oci.errors import Locked, ManifestUnknown
from registry.oci.image_reference import ImageReference
from registry.oci.names import Reference, RepositoryName
from registry.oci.platforms import Platform
from registry.storage.blob_store import BlobStore

GATE_RULE = "gate"


class Checks:
    """The service behind the gateway's handlers; built once at start-up."""

    def __init__(self, metadata: MetadataStore, gate: ReferenceGate, storage: BlobStore) -> None:
        self._metadata = metadata
        self._gate = gate
        self._platforms = ImagePlatforms(storage, metadata)

    async def on_platform(
        self, repository: RepositoryName, answer: CheckResult, wanted: Platform | None
    ) -> tuple[Remark, ...]:
        """Remarks on the platform of the image, if the configuration asks for one."""
        if wanted is None or answer.digest is None:
            return ()
        return on_platform(wanted, await self._platforms.of(repository, Digest(answer.digest)))

    async def check(self, principal: Principal, image: ImageReference, at_most: float = math.inf) -> CheckResult:
        """The result for an image of this registry; an unknown image is denied.

        `at_most`: seconds to wait for layers that are being inspected, if the setting allows more.
        """
        digest = await self._resolve(image.repository, image.reference)
        if digest is None:
            return CheckResult.unresolved(str(image), await not_here(self._metadata, image))
        standing = await self._gate.standing(principal, image.repository, digest, at_most)
        answer = answer_of(str(image), digest, standing)
        tag = "" if isinstance(image.reference, Digest) else image.reference
        try:
            await self._metadata.read(locks.require_readable, image.repository, digest, tag)
        except Locked as error:  # nobody could pull it
            return replace(answer, allowed=False).with_findings(GATE_RULE, Weight.ERROR, (error.message,))
        return answer

    async def explain(self, principal: Principal, image: ImageReference) -> dict[str, Any]:
        """The result with all facts of the image: `image` (facts, absent, problems, …) and `children`.

        Raises:
            ManifestUnknown: there is no such manifest in this repository.
        """
        repository = image.repository
        digest = await self.resolved(repository, image.reference)
        standing = await self._gate.standing(principal, repository, digest)
        facts = await self._gate.image_facts(repository, digest)
        children = standing.verdict.document()["children"] if standing.verdict else []
        return {
            **answer_of(str(image), digest, standing).document(),
            "image": None if facts is None else facts_document(facts),
            "children": children,
        }

    async def resolved(self, repository: RepositoryName, reference: Reference) -> Digest:
        """The digest of a manifest.

        Raises:
            ManifestUnknown: there is no such manifest in this repository.
        """
        digest = await self._resolve(repository, reference)
        if digest is None:
            raise ManifestUnknown(f"manifest unknown: {repository} holds no {reference}", {"reference": reference})
        return digest

    async def _resolve(self, repository: RepositoryName, reference: Reference) -> Digest | None:
        if isinstance(reference, Digest):
            row = await self._metadata.read(manifests.find, repository, reference)
        else:
            row = await self._metadata.read(manifests.find_tagged, repository, reference)
        return row.digest if row else None


def answer_of(reference: str, digest: Digest, standing: Assessment) -> CheckResult:
    """The result of an assessment."""
    decision, verdict = standing.decision, standing.verdict
    if verdict is None:
        pending = CheckResult(decision.allowed, State.PENDING.value, reference, digest, standing.policy)
        weight = Weight.WARN if decision.allowed else Weight.ERROR
        return pending.with_findings(GATE_RULE, weight, decision.warnings or (decision.message,))
    document = verdict.document()
    answer = CheckResult(
        allowed=decision.allowed,
        verdict=document["verdict"],
        reference=reference,
        digest=digest,
        policy=document["policy"],
        facts=document["facts"],
        findings=tuple(document["findings"]),
    )
    if not decision.allowed and verdict.state is State.CLEARED:  # its subject is withheld
        return answer.with_findings(GATE_RULE, Weight.ERROR, (decision.message,))
    # An exemption, or a mode that only warns: the findings do not explain why it is allowed.
    lenient = decision.allowed and verdict.state is not State.CLEARED
    return answer.with_findings(GATE_RULE, Weight.WARN, decision.warnings if lenient else ())

"""The policy gate: implements the registry's gate. Every decision is made by `policy.decision.decide`."""

import math
import time
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from typing import Self

from policy.assessment.inspector import Inspector
from policy.assessment.judge import Judge
from policy.assessment.manifest_verdicts import facts_of_subject
from policy.assessment.settings import JudgingSettings
from policy.assessment.verdict import Verdict
from policy.decision import AccessPoint, Mode
from policy.enforcement.access_decisions import AccessDecisions, state_of
from policy.enforcement.access_request import AccessRequest
from policy.enforcement.assignments import AssignmentsInForce, Bound
from policy.enforcement.blob_access import BlobAccess
from policy.enforcement.catch_up import CatchUp
from policy.enforcement.conclusion import Conclusion, Named
from policy.enforcement.content_presence import Presence
from policy.enforcement.current_verdicts import CurrentVerdicts
from policy.enforcement.denial import named
from policy.enforcement.exemptions import Exemption
from policy.enforcement.generation import Generation
from policy.enforcement.judging_stores import open_judging
from policy.enforcement.operator_file import OperatorFile
from policy.enforcement.operator_store import OperatorStore
from policy.enforcement.partial_indexes import PartialIndexes
from policy.enforcement.policies_in_force import PoliciesInForce
from policy.enforcement.reference_gate import Assessment
from policy.enforcement.referrers import Referrals
from policy.enforcement.refusals import Asked, Refusals
from policy.inspection.facts import ImageFacts
from policy.inspection.worker.upload_follower import LayerArrival
from policy.results.manifests import InspectedManifest, Kind
from policy.results.store import ResultStore
from policy.rules.text_limits import REFUSAL_LIMIT, elided_bytes
from policy.state import State
from registry.auth.actions import Action
from registry.auth.principals import MIRROR_ID, Principal
from registry.config.settings import RegistrySettings
from registry.gate import ALLOWED, Alongside, Decision, Push
from registry.metadata.store import MetadataStore
from registry.oci.digest import Digest
from registry.oci.names import RepositoryName, Tag
from registry.storage.blob_store import BlobStore, StagedBytes

Attesting = Callable[[RepositoryName, Digest, Conclusion | None], Alongside | None]
"""What is recorded with a manifest that is pushed, given what is concluded of it; `None` while that is pending."""

_PENDING = Decision(allowed=False, message="its layers are being looked into")


class PolicyGate:
    """Implements `registry.gate.Gate`, and `reference_gate.ReferenceGate` for deployments.

    Attributes:
        results: stored inspections and states.
        orders: the standing orders.
        policies: the assignments and settings in force.
        inspector: inspects manifests.
        judge: gives verdicts on them.
        refusals: counts what it refuses.
        alongside: says what is recorded with a push.
    """

    def __init__(  # noqa: PLR0913, PLR0917
        self,
        storage: BlobStore,
        metadata: MetadataStore,
        results: ResultStore,
        orders: OperatorStore,
        settings: JudgingSettings,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """Build inspector and judge; the caller closes the gate, then policy.db.

        Raises:
            PolicyRefused: the settings name a policy that is not known or cannot be used.
        """
        self.results = results
        self.orders = orders
        self._clock = clock
        self.policies = PoliciesInForce(settings, orders)
        self._generation = Generation(orders, results, clock)
        self.inspector = Inspector(storage, metadata, results, settings.inspection, self._on_inspected)
        self.judge = Judge(self.inspector, results, settings.verdict_cache, lambda name: self.policies.of(name).mode)
        self.refusals = Refusals(lambda: self.settings.refusals, clock)
        self._referrals = Referrals(metadata)
        partial = PartialIndexes(self.judge, metadata)
        presence = Presence(storage, metadata, self.inspector)
        self._verdicts = CurrentVerdicts(self.judge, presence, partial, self.policies)
        self._decisions = AccessDecisions(self._verdicts, self._referrals, orders, clock)
        self._blob_access = BlobAccess(metadata, self.generation)
        self._catch_up = CatchUp(metadata, results, self.inspector, self.judge, self.policies)
        self.alongside: Attesting = _attest_nothing

    @classmethod
    def open(
        cls, storage: BlobStore, metadata: MetadataStore, registry: RegistrySettings, settings: JudgingSettings
    ) -> Self:
        """The gate of a registry's settings, with its results and standing orders.

        Raises:
            PolicyRefused, OperatorFileRefused: settings or orders cannot be used.
            And what `open_judging` raises.
        """
        with ExitStack() as opened:
            judging = open_judging(registry)
            opened.callback(judging.close)
            gate = cls(storage, metadata, judging.results, judging.orders, settings)
            opened.pop_all()
        return gate

    def arriving(self, repository: RepositoryName, staging: StagedBytes) -> LayerArrival:  # noqa: ARG002
        """Follow an upload: its layer is inspected while it arrives."""
        follow_bytes = self.settings.inspection.follow_bytes
        return LayerArrival(self.inspector.workers, staging, follow_bytes, self.inspector.turns.announce)

    async def before_push(self, push: Push) -> Decision:
        """Judge a pushed manifest; waits for its layers as long as the setting allows."""
        self._look_again()
        self.judge.log.pushed(push.digest)
        request = AccessRequest(
            AccessPoint.PUSH,
            self.policies.of(push.repository),
            push.repository,
            push.digest,
            next(iter(push.tags), None),
            push.principal.may(Action.PUSH, push.repository),
            mirrored=push.principal.id == MIRROR_ID,
        )
        verdict = await self._verdicts.verdict(request, push.manifest)
        decision = self._decisions.decide(request.question(state_of(verdict)), request, verdict)
        if request.mirrored:  # what is signed is about all images of an index, those that are not here too
            verdict = await self._verdicts.verdict(replace(request, point=AccessPoint.REFERENCE), push.manifest)
        alongside = self.alongside(push.repository, push.digest, self._concluded(request, verdict))
        asked = Asked(push.principal, push.repository, push.digest, request.tag or "")
        return self.refusals.noted(AccessPoint.PUSH, replace(decision, alongside=alongside), asked)

    async def before_manifest_pull(
        self, principal: Principal, repository: RepositoryName, digest: Digest, tag: Tag | None
    ) -> Decision:
        """Whether the manifest may be pulled, for itself and for its subject."""
        decision = await self.manifest_access(principal, repository, digest, tag)
        return self.refusals.noted(AccessPoint.MANIFEST, decision, Asked(principal, repository, digest, tag or ""))

    async def manifest_access(
        self, principal: Principal, repository: RepositoryName, digest: Digest, tag: Tag | None
    ) -> Decision:
        """The same for who does not want it now: a refusal is not noted."""
        if self._sees_all(principal, repository):
            return ALLOWED
        request = AccessRequest(AccessPoint.MANIFEST, self.policies.of(repository), repository, digest, tag)
        return (await self._decisions.whole(request))[1]

    async def withheld(
        self, principal: Principal, repository: RepositoryName, digests: Collection[Digest]
    ) -> Collection[Digest]:
        """The manifests that may not be pulled; those known to be open are not judged again."""
        return await self._withheld(principal, repository, digests, waits=True)

    async def _withheld(
        self, principal: Principal, repository: RepositoryName, digests: Collection[Digest], *, waits: bool
    ) -> Collection[Digest]:
        bound = self.policies.of(repository)
        if _sees_withheld(principal, repository) or not bound.mode.withholds:
            return ()

        def asked(digest: Digest) -> AccessRequest:
            return AccessRequest(AccessPoint.REFERRERS, bound, repository, digest)

        async def own(digest: Digest) -> Decision:
            if not waits and await self.conclusion(repository, digest, known=True) is None:
                return _PENDING
            return (await self._decisions.own(asked(digest)))[1]

        doubtful = [digest for digest in digests if await self._verdicts.open_state(asked(digest)) is None]
        withheld = {digest for digest in doubtful if not (await own(digest)).allowed}
        return withheld | await self._referrals.withheld_among(repository, digests, own)

    async def withheld_now(
        self, principal: Principal, repository: RepositoryName, digests: Collection[Digest]
    ) -> Collection[Digest]:
        """`withheld` for lists: nobody waits for an inspection, what is pending is withheld."""
        if _sees_withheld(principal, repository) or not self.policies.of(repository).mode.withholds:
            return ()
        pending = {each for each in digests if await self.conclusion(repository, each, known=True) is None}
        known = [each for each in digests if each not in pending]
        return {*pending, *await self._withheld(principal, repository, known, waits=False)}

    async def before_blob_pull(self, principal: Principal, repository: RepositoryName, digest: Digest) -> Decision:
        """Whether the manifests that name the blob allow it: `policy.enforcement.blob_access`."""
        if self._sees_all(principal, repository):
            return ALLOWED
        bound = self.policies.of(repository)
        decision = await self._blob_access.decide(
            repository,
            digest,
            lambda manifest: self._decisions.whole(AccessRequest(AccessPoint.BLOB, bound, repository, manifest)),
        )
        if decision.allowed:
            return decision
        self.refusals.noted(AccessPoint.BLOB, decision, Asked(principal, repository, digest))
        name = named(repository, digest)
        message = f"{name} is not cleared by policy {bound.policy.name}: {decision.message}"
        return replace(decision, message=elided_bytes(message, REFUSAL_LIMIT))

    def generation(self) -> int:
        """Changes with new verdicts, changes of the operator file, expired exemptions, requests to inspect again."""
        self._look_again()
        return self._generation.value()

    async def standing(
        self, principal: Principal, repository: RepositoryName, digest: Digest, at_most: float = math.inf
    ) -> Assessment:
        """Verdict and decision for a deployment, judged on demand.

        A verdict is cached; its content is checked on each call. `at_most`: seconds to wait for layers, if the setting
        allows more.
        """
        bound, may_push = self.policies.of(repository), principal.may(Action.PUSH, repository)
        request = AccessRequest(AccessPoint.REFERENCE, bound, repository, digest, may_push=may_push)
        verdict, missing = await self._verdicts.with_content(request, at_most)
        question = request.question(state_of(verdict), missing=missing)
        decision = self._decisions.decide(question, request, verdict)
        if decision.allowed:
            decision = await self._decisions.with_subject(question, request, decision)
        self.refusals.noted(AccessPoint.REFERENCE, decision, Asked(principal, repository, digest))
        return Assessment(verdict, decision, {"name": bound.policy.name, "digest": bound.policy.digest})

    def change_orders(self, change: Callable[[OperatorFile], OperatorFile]) -> None:
        """Change the standing orders, from now on; for a thread. Raises OperatorFileRefused."""
        self.orders.change(change)

    async def verdict_now(self, repository: RepositoryName, digest: Digest) -> tuple[Verdict | None, tuple[str, ...]]:
        """The verdict, if known without waiting, and the messages of the exemptions that allow the manifest."""
        request = AccessRequest(AccessPoint.MANIFEST, self.policies.of(repository), repository, digest)
        verdict = await self._verdicts.verdict(request, wait=0.0)
        return verdict, self._decisions.excused(request, verdict)

    async def conclusion(self, repository: RepositoryName, digest: Digest, *, known: bool = False) -> Conclusion | None:
        """What holds of a manifest; `None` when its inspection takes longer than the setting allows to wait.

        `known`: only if it was inspected before, without waiting; as a walk over all manifests asks, which fills no
        memory.
        """
        request = AccessRequest(AccessPoint.REFERENCE, self.policies.of(repository), repository, digest)
        state = await self._verdicts.known_state(request, remember=not known)
        if state is None and known and self.inspector.recorded(digest) is None:
            return None
        if state is None or (state is State.REFUSED and self.orders.current().exemptions):
            return self._concluded(request, await self._verdicts.verdict(request, wait=0.0 if known else None))
        return Conclusion(state, request.bound.policy.name, request.bound.policy.digest)

    def conclusions(self, named: Iterable[Named]) -> Mapping[Named, Conclusion]:
        """What stands on record of many manifests: what `conclusion` says of each, at less cost.

        Left out, and to be asked for one by one: indexes, which lose members; what exemptions may excuse; what was not
        judged yet.
        """
        by_policy: dict[str, list[tuple[Named, Bound]]] = {}
        for each in named:
            bound = self.policies.of(each[0])
            by_policy.setdefault(bound.policy.digest, []).append((each, bound))
        excusable = State.REFUSED if self.orders.current().exemptions else None
        found: dict[Named, Conclusion] = {}
        for asked in by_policy.values():
            policy = asked[0][1].policy
            states = self.judge.states_without_members([digest for (_, digest), _ in asked], policy)
            for each, bound in asked:
                state = states.get(each[1])
                if state is not None and state is not excusable:
                    found[each] = Conclusion(state, bound.policy.name, policy.digest)
        return found

    def _concluded(self, request: AccessRequest, verdict: Verdict | None) -> Conclusion | None:
        if verdict is None:
            return None
        excused = self._decisions.excused(request, verdict)
        return Conclusion(verdict.state, verdict.policy_name, verdict.policy_digest, excused)

    def exemptions(self) -> Sequence[Exemption]:
        """All exemptions, those that have ended too."""
        return self.orders.current().exemptions

    def exemptions_of(self, repository: RepositoryName, digest: Digest, rules: Collection[str]) -> list[Exemption]:
        """The exemptions that cover a failure of one of these rules in a manifest now."""
        now = self._clock()
        return [each for each in self.exemptions() if any(each.covers(repository, digest, rule, now) for rule in rules)]

    def turns(self) -> int:
        """A number that changes whenever the verdicts of many manifests may have turned."""
        self._look_again()
        return self._generation.turns()

    async def image_facts(self, repository: RepositoryName, digest: Digest) -> ImageFacts | None:
        """All facts of an image; `None` for an index, an artifact, or while inspection goes on."""
        subject = await self.inspector.subject(repository, digest, wait=self.settings.wait_seconds)
        return facts_of_subject(subject) if subject is not None and subject.kind is Kind.IMAGE else None

    async def catch_up(self) -> None:
        """Judge manifests without a verdict, and inspect again what earlier detectors inspected."""
        if await self._catch_up.run():
            self._generation.turn()

    @property
    def settings(self) -> JudgingSettings:
        """The settings in force."""
        return self.policies.settings

    @property
    def bindings(self) -> AssignmentsInForce:
        """The assignments in force."""
        return self.policies.assignments

    def use(self, settings: JudgingSettings, bindings: AssignmentsInForce) -> None:
        """Put other settings in force; running requests keep the settings that they began with."""
        self.policies.replace(settings, bindings)
        self.inspector.use(settings.inspection)
        self.judge.resize(settings.verdict_cache)
        self._generation.turn()

    def close(self) -> None:
        """End the inspection workers and close policy.db."""
        self.inspector.close()
        self.results.close()

    def _look_again(self) -> None:
        """Clear caches when another process asked to inspect again; checked at most four times a second."""
        if self._generation.look_again():
            self.inspector.forget_all()
            self.judge.forget_all()

    def _on_inspected(self, subject: InspectedManifest, replaced: bool) -> None:  # noqa: FBT001
        if replaced:
            self.judge.forget(subject.manifest)
            self._generation.turn()
        self._generation.bump()

    def _sees_all(self, principal: Principal, repository: RepositoryName) -> bool:
        return _sees_withheld(principal, repository) or self.policies.of(repository).mode is Mode.AUDIT


def _attest_nothing(_repository: RepositoryName, _digest: Digest, _conclusion: Conclusion | None) -> None:
    """Nothing is recorded with a push."""


def _sees_withheld(principal: Principal, repository: RepositoryName) -> bool:
    """Whether the caller may see withheld content: those that may push there, and scanners."""
    return principal.may(Action.PUSH, repository) or principal.may(Action.QUARANTINE_READ, repository)

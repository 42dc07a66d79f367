"""The gate: a policy's seat in the registry. Every door asks here, and every answer is `policy.decision.decide`'s."""

import asyncio
import time
from collections.abc import Callable, Collection, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self

import structlog

from policy.assessment.inspector import CURRENT, Inspector
from policy.assessment.judge import Judge
from policy.assessment.manifest_verdicts import facts_of_subject
from policy.assessment.settings import JudgingSettings
from policy.assessment.verdict import Verdict, without_content
from policy.decision import AccessPoint, Mode, Outcome, Question, decide
from policy.definition.policy import Policy
from policy.enforcement.assignments import AssignmentsInForce, Bound
from policy.enforcement.blob_access import BlobDoor
from policy.enforcement.content_presence import Presence
from policy.enforcement.denial import named, refusal, refusal_detail
from policy.enforcement.exemptions import exempted
from policy.enforcement.generation import Generation
from policy.enforcement.operator_file import FILE as ORDERS
from policy.enforcement.operator_file import OperatorFileInForce
from policy.enforcement.reference_gate import Standing
from policy.enforcement.referrers import Referrals
from policy.inspection.facts import ImageFacts
from policy.inspection.worker.upload_follower import LayerArrival
from policy.results import manifests as inspected_manifests
from policy.results import verdicts
from policy.results.manifests import InspectedManifest, Kind
from policy.results.store import FILE as RESULTS
from policy.results.store import ResultStore
from policy.rules.text_limits import REFUSAL_LIMIT, elided_bytes
from policy.state import State
from registry.auth.actions import Action
from registry.auth.principals import Principal
from registry.gate import ALLOWED, Decision, Push
from registry.metadata.reachability import manifest_page
from registry.metadata.store import MetadataStore
from registry.oci.digest import Digest
from registry.oci.manifest import Manifest
from registry.oci.names import RepositoryName, Tag
from registry.storage.blob_store import BlobStore, StagedBytes

_PATIENCE_SECONDS = 3600.0
_PAGE = 500
_OPEN = frozenset({State.CLEARED, State.NOT_APPLICABLE})
_JUDGED = frozenset({State.CLEARED, State.REFUSED})


class PolicyGate:
    """Implements `registry.gate.Gate`, and the door to a deployment (`reference_gate.ReferenceDoor`)."""

    def __init__(  # noqa: PLR0913, PLR0917
        self,
        storage: BlobStore,
        metadata: MetadataStore,
        results: ResultStore,
        orders: OperatorFileInForce,
        settings: JudgingSettings,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """Put judging together; the caller closes the gate, and policy.db after it.

        Raises:
            PolicyRefused: the settings name a policy that is not known or cannot be used.
        """
        self._metadata = metadata
        self._results = results
        self._orders = orders
        self._settings = settings
        self._clock = clock
        self._bindings = AssignmentsInForce(settings, orders)
        self._generation = Generation(orders, results, clock)
        self.inspector = Inspector(storage, metadata, results, settings.inspection, self._on_found)
        self.judge = Judge(self.inspector, results, settings.verdict_cache)
        self._referrals = Referrals(metadata)
        self._blob_door = BlobDoor(metadata, self.generation)
        self._presence = Presence(storage, metadata, self.inspector)

    @classmethod
    def open(cls, storage: BlobStore, metadata: MetadataStore, data: Path, settings: JudgingSettings) -> Self:
        """The gate of a data folder, with its own results and standing orders.

        Raises:
            PolicyRefused, StandingOrdersRefused: settings or orders cannot be used.
        """
        orders = OperatorFileInForce(data / ORDERS)
        with ExitStack() as opened:
            results = ResultStore(data / RESULTS)
            opened.callback(results.close)
            gate = cls(storage, metadata, results, orders, settings)
            opened.pop_all()
        return gate

    def arriving(self, repository: RepositoryName, staging: StagedBytes) -> LayerArrival:  # noqa: ARG002
        """Follow an upload: its layer is read while it arrives."""
        return LayerArrival(self.inspector.workers, staging, self._settings.inspection.follow_bytes)

    async def before_push(self, push: Push) -> Decision:
        """Judge what is pushed; wait for its layers up to the setting."""
        self._look_again()
        bound, digest = self._bound(push.repository), push.digest
        verdict = await self._verdict(bound, push.repository, digest, push.manifest)
        question = Question(
            AccessPoint.PUSH, _state(verdict), bound.mode, push.principal.may(Action.PUSH, push.repository)
        )
        return self._decision(question, _Asked(bound, push.repository, digest, next(iter(push.tags), None)), verdict)

    async def before_manifest_pull(
        self, principal: Principal, repository: RepositoryName, digest: Digest, tag: Tag | None
    ) -> Decision:
        """Whether the manifest may be handed out, for what it is and for what it refers to."""
        if self._sees_all(principal, repository):
            return ALLOWED
        asked = _Asked(self._bound(repository), repository, digest, tag)
        return (await self._stands(AccessPoint.MANIFEST, asked))[1]

    async def withheld(
        self, principal: Principal, repository: RepositoryName, digests: Collection[Digest]
    ) -> Collection[Digest]:
        """Those that may not be handed out; only those that are not known to be open are judged one by one."""
        bound = self._bound(repository)
        if principal.may(Action.PUSH, repository) or not bound.mode.withholds:
            return ()

        async def own(digest: Digest) -> Decision:
            return (await self._own(AccessPoint.REFERRERS, _Asked(bound, repository, digest)))[1]

        doubtful = [digest for digest in digests if await self._stays_open(bound, repository, digest) is None]
        withheld = {digest for digest in doubtful if not (await own(digest)).allowed}
        return withheld | await self._referrals.withheld_among(repository, digests, own)

    async def before_blob_pull(self, principal: Principal, repository: RepositoryName, digest: Digest) -> Decision:
        """Whether the manifests that name the blob let it through: `policy.enforcement.blob_access`."""
        if self._sees_all(principal, repository):
            return ALLOWED
        bound = self._bound(repository)
        found = await self._blob_door.decide(
            repository, digest, lambda manifest: self._stands(AccessPoint.BLOB, _Asked(bound, repository, manifest))
        )
        if found.allowed:
            return found
        name = named(repository, digest)
        message = f"{name} is not cleared by policy {bound.policy.name}: {found.message}"
        return replace(found, message=elided_bytes(message, REFUSAL_LIMIT))

    def generation(self) -> int:
        """Changes with every new verdict, standing order, exemption that ends, and request to look again."""
        self._look_again()
        return self._generation.value()

    def _look_again(self) -> None:
        """Another process may have asked that something be looked into anew: forget it, at most four times a second."""
        if self._generation.look_again():
            self.inspector.forget_all()
            self.judge.forget_all()

    async def standing(self, principal: Principal, repository: RepositoryName, digest: Digest) -> Standing:
        """Verdict and decision at the door to a deployment, judged now when they are not known yet.

        A verdict is remembered, the content that it speaks of is looked at each time.
        """
        asked = _Asked(self._bound(repository), repository, digest)
        policy = asked.bound.policy
        verdict = await self._judged(asked.bound, repository, digest)
        missing: Sequence[str] = ()
        if verdict is not None and verdict.state is not State.NOT_APPLICABLE:
            gone = await self._presence.gone(repository, digest, policy)
            missing = tuple(gone.values())
            if not gone and verdict.state in _JUDGED:
                missing = await self._presence.missing(repository, digest, policy)
            verdict = without_content(verdict, missing, gone) if missing else verdict
        may_push = principal.may(Action.PUSH, repository)
        question = Question(AccessPoint.REFERENCE, _state(verdict), asked.bound.mode, may_push, missing=bool(missing))
        decision = self._decision(question, asked, verdict)
        if decision.allowed:
            decision = await self._with_subject(question, asked, decision)
        return Standing(verdict, decision, {"name": policy.name, "digest": policy.digest})

    async def image_facts(self, repository: RepositoryName, digest: Digest) -> ImageFacts | None:
        """All facts of an image; `None` for an index, an artifact, or while inspection goes on."""
        subject = await self.inspector.subject(repository, digest, wait=self._settings.wait_seconds)
        return facts_of_subject(subject) if subject is not None and subject.kind is Kind.IMAGE else None

    async def catch_up(self) -> None:
        """Judge what has no verdict yet, and look again where earlier detectors looked.

        After a crash, a lost results, a policy that is new in the settings, or a newer version of this program.
        """
        after = 0
        while page := await self._metadata.read(manifest_page, after, _PAGE):
            after = page[-1][0]
            for repository, digest in await asyncio.to_thread(self._behind, page):
                await self._catch_up_with(repository, digest)

    def _behind(self, page: Sequence[tuple[int, RepositoryName, Digest]]) -> list[tuple[RepositoryName, Digest]]:
        """Those that have no verdict, or one made of what earlier detectors saw."""
        self._results.settle()
        digests = [digest for _, _, digest in page]
        seen = self._results.read(inspected_manifests.among, digests, CURRENT)
        judged: dict[str, set[str]] = {}
        behind = []
        for _, repository, digest in page:
            policy = self._bound(repository).policy.digest
            if policy not in judged:
                judged[policy] = self._results.read(verdicts.among, policy, digests)
            if digest not in seen or digest not in judged[policy]:
                behind.append((repository, digest))
        return behind

    async def _catch_up_with(self, repository: RepositoryName, digest: Digest) -> None:
        policy = self._bound(repository).policy
        try:
            await self.inspector.renew(repository, digest)
            await self.judge.state(repository, digest, policy, _PATIENCE_SECONDS)
        except Exception as error:  # noqa: BLE001 - one manifest that cannot be judged must not keep the others back
            structlog.get_logger(__name__).warning(
                "a stored manifest could not be judged", repository=repository, digest=digest, reason=str(error)
            )

    @property
    def results(self) -> ResultStore:
        """What was seen and decided."""
        return self._results

    @property
    def settings(self) -> JudgingSettings:
        """The settings in force."""
        return self._settings

    @property
    def bindings(self) -> AssignmentsInForce:
        """Which policy and mode count where."""
        return self._bindings

    def tried(self, settings: JudgingSettings) -> AssignmentsInForce:
        """The bindings that other settings would bring, without putting them in force.

        Raises:
            PolicyRefused: they name a policy that is not known or cannot be used.
        """
        return AssignmentsInForce(settings, self._orders)

    def turn(self, settings: JudgingSettings, bindings: AssignmentsInForce) -> None:
        """Put other settings in force at once; whatever has begun ends under those it began with."""
        self._settings = settings
        self._bindings = bindings
        self.inspector.follow(settings.inspection)
        self.judge.follow(settings.verdict_cache)
        self._generation.bump()

    def close(self) -> None:
        """End the inspection workers and let go of policy.db."""
        self.inspector.close()
        self._results.close()

    def _on_found(self, subject: InspectedManifest, replaced: bool) -> None:  # noqa: FBT001
        if replaced:
            self.judge.forget(subject.manifest)
        self._generation.bump()

    def _bound(self, repository: str) -> Bound:
        return self._bindings.current().of(repository)

    def _sees_all(self, principal: Principal, repository: RepositoryName) -> bool:
        return principal.may(Action.PUSH, repository) or self._bound(repository).mode is Mode.AUDIT

    def _known_open(self, digest: Digest, bound: Bound) -> State | None:
        """The state, when it is known that everybody who may pull gets the manifest for what it is, unwarned."""
        known = None if bound.policy.is_soft else self.judge.known_state(digest, bound.policy)
        return known if known in _OPEN else None

    async def _stays_open(self, bound: Bound, repository: RepositoryName, digest: Digest) -> State | None:
        """The same, while no image of an index has gone."""
        known = self._known_open(digest, bound)
        if known is State.CLEARED and await self._presence.gone(repository, digest, bound.policy):
            return None
        return known

    async def _verdict(
        self, bound: Bound, repository: RepositoryName, digest: Digest, manifest: Manifest | None = None
    ) -> Verdict | None:
        """The verdict; that on an index not without its images."""
        verdict = await self._judged(bound, repository, digest, manifest)
        if verdict is None or verdict.state not in _JUDGED:
            return verdict
        gone = await self._presence.gone(repository, digest, bound.policy)
        return without_content(verdict, tuple(gone.values()), gone) if gone else verdict

    async def _judged(
        self, bound: Bound, repository: RepositoryName, digest: Digest, manifest: Manifest | None = None
    ) -> Verdict | None:
        return await self.judge.verdict(repository, digest, bound.policy, self._settings.wait_seconds, manifest)

    async def _own(self, door: AccessPoint, asked: "_Asked") -> tuple[State, Decision]:
        """How a manifest stands for what it is itself, to somebody who only pulls."""
        bound, digest = asked.bound, asked.digest
        known = await self._stays_open(bound, asked.repository, digest)
        if known is not None:
            return known, ALLOWED
        verdict = await self._verdict(bound, asked.repository, digest)
        state = _state(verdict)
        return state, self._decision(Question(door, state, bound.mode), asked, verdict)

    async def _stands(self, door: AccessPoint, asked: "_Asked") -> tuple[State, Decision]:
        """The same, and for what it refers to."""
        state, decision = await self._own(door, asked)
        if decision.allowed:
            decision = await self._with_subject(Question(door, state, asked.bound.mode), asked, decision)
        return state, decision

    async def _with_subject(self, question: Question, asked: "_Asked", decision: Decision) -> Decision:
        """The decision on a manifest that is not withheld itself: whether anything withholds it that it refers to."""
        bound, repository = asked.bound, asked.repository
        if not bound.mode.withholds:
            return decision

        async def own(subject: Digest) -> Decision:
            return (await self._own(AccessPoint.MANIFEST, _Asked(bound, repository, subject)))[1]

        found = await self._referrals.withheld(repository, asked.digest, own)
        if found is None or decide(replace(question, refers_to_withheld=True)) is not Outcome.DENY:
            return decision
        subject, why = found
        told = f"{asked.name} refers to {named(repository, subject)}, which is withheld: {why.message}"
        return Decision(False, elided_bytes(told, REFUSAL_LIMIT), why.detail)

    def _decision(self, question: Question, asked: "_Asked", verdict: Verdict | None) -> Decision:
        # `asked.bound` is what the question began with: the policy may have been replaced while layers were waited for.
        policy = asked.bound.policy
        excused = self._excused(asked.repository, asked.digest, verdict)
        outcome = decide(replace(question, exempt=bool(excused)))
        soft = () if verdict is None else _told(question.door, verdict, policy)
        if outcome is Outcome.ALLOW:
            return Decision(True, warnings=soft)
        message = refusal(asked.name, policy, verdict)
        if outcome is Outcome.DENY:
            return Decision(False, message, refusal_detail(asked.repository, asked.digest, policy, verdict))
        return Decision(True, warnings=(*(excused or (message,)), *soft))

    def _excused(self, repository: str, digest: str, verdict: Verdict | None) -> tuple[str, ...]:
        exemptions = self._orders.current().exemptions
        if verdict is None or verdict.state is not State.REFUSED or not exemptions:
            return ()
        return exempted(exemptions, repository, digest, verdict.findings, self._clock())


@dataclass(frozen=True, slots=True)
class _Asked:
    """What is asked about: a manifest of a repository, what counts there, and the tag that it was asked for by."""

    bound: Bound
    repository: RepositoryName
    digest: Digest
    tag: Tag | None = None

    @property
    def name(self) -> str:
        """The manifest as people write it."""
        return named(self.repository, self.tag or self.digest)


def _state(verdict: Verdict | None) -> State:
    return State.PENDING if verdict is None else verdict.state


def _told(door: AccessPoint, verdict: Verdict, policy: Policy) -> tuple[str, ...]:
    """The warnings at a door.

    Who pushes, and who asks for a clearance, is told everything. Who pulls is told of soft rules only: a manifest that
    is known to be cleared is handed out without its verdict being made, and must not warn one time and not another.
    """
    return (
        verdict.warnings
        if door in {AccessPoint.PUSH, AccessPoint.REFERENCE}
        else verdict.warnings_of(policy.soft_rules)
    )

"""The gate: a policy's seat in the registry. Every door asks here, and every answer is `policy.decision.decide`'s."""

import asyncio
import time
from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from typing import Self

import structlog

from policy.bindings import BindingsInForce, Bound
from policy.decision import Door, Mode, Outcome, Question, decide
from policy.exemptions import exempted
from policy.facts import ImageFacts
from policy.gateway.door import Standing
from policy.generation import Generation
from policy.inspection.arrivals import LayerArrival
from policy.inspector import CURRENT, Inspector
from policy.judge import Judge
from policy.judging_settings import JudgingSettings
from policy.ledger import subjects, verdicts
from policy.ledger.ledger import FILE as LEDGER
from policy.ledger.ledger import Ledger
from policy.ledger.subjects import Kind, Subject
from policy.refusal import named, refusal, refusal_detail
from policy.standing import FILE as ORDERS
from policy.standing import OrdersInForce
from policy.subject import facts_of_subject
from policy.verdict import State, Verdict
from registry.auth.actions import Action
from registry.auth.principals import Principal
from registry.gate import ALLOWED, Decision, Push
from registry.metadata.reachability import manifest_page, manifests_using
from registry.metadata.store import MetadataStore
from registry.oci.digest import Digest
from registry.oci.manifest import Manifest
from registry.oci.names import RepositoryName, Tag
from registry.storage.store import BlobStore

_REMEMBERED_BLOBS = 50_000
_PATIENCE_SECONDS = 3600.0
_PAGE = 500
_OPEN = frozenset({State.CLEARED, State.NOT_APPLICABLE})


class PolicyGate:
    """Implements `registry.gate.Gate`, and the door to a deployment (`policy.gateway.door.ReferenceDoor`)."""

    def __init__(  # noqa: PLR0913, PLR0917
        self,
        storage: BlobStore,
        metadata: MetadataStore,
        ledger: Ledger,
        orders: OrdersInForce,
        settings: JudgingSettings,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """Put judging together; the caller closes the gate, and the ledger after it.

        Raises:
            PolicyRefused: the settings name a policy that is not known or cannot be used.
        """
        self._metadata = metadata
        self._ledger = ledger
        self._orders = orders
        self._settings = settings
        self._clock = clock
        self._bindings = BindingsInForce(settings, orders)
        self._generation = Generation(orders, ledger, clock)
        self.inspector = Inspector(storage, metadata, ledger, settings.inspection, self._on_found)
        self.judge = Judge(self.inspector, ledger, settings.verdict_cache)
        self._blobs: dict[tuple[str, str], Decision] = {}
        self._blobs_at = (-1, -1)

    @classmethod
    def open(cls, storage: BlobStore, metadata: MetadataStore, data: Path, settings: JudgingSettings) -> Self:
        """The gate of a data folder, with its own ledger and standing orders.

        Raises:
            PolicyRefused, StandingOrdersRefused: settings or orders cannot be used.
        """
        orders = OrdersInForce(data / ORDERS)
        return cls(storage, metadata, Ledger(data / LEDGER), orders, settings)

    def arriving(self, repository: RepositoryName, staging: Path) -> LayerArrival:  # noqa: ARG002
        """Follow an upload: its layer is read while it arrives."""
        return LayerArrival(self.inspector.workers, staging, self._settings.inspection.follow_bytes)

    async def before_push(self, push: Push) -> Decision:
        """Judge what is pushed; wait for its layers up to the setting."""
        self._look_again()
        return await self._at(
            Door.PUSH, push.principal, push.repository, push.digest, next(iter(push.tags), None), push.manifest
        )

    async def before_manifest_pull(
        self, principal: Principal, repository: RepositoryName, digest: Digest, tag: Tag | None
    ) -> Decision:
        """Whether the manifest may be handed out."""
        return await self._at(Door.MANIFEST, principal, repository, digest, tag)

    async def withheld(
        self, principal: Principal, repository: RepositoryName, digests: Collection[Digest]
    ) -> Collection[Digest]:
        """Those that may not be handed out; only those that are not known to be open are judged one by one."""
        bound = self._bound(repository)
        if principal.may(Action.PUSH, repository) or bound.mode is Mode.AUDIT:
            return ()
        doubtful = [digest for digest in digests if not self._is_open(digest, bound)]
        decisions = [await self.before_manifest_pull(principal, repository, digest, None) for digest in doubtful]
        return {digest for digest, decision in zip(doubtful, decisions, strict=True) if not decision.allowed}

    async def before_blob_pull(self, principal: Principal, repository: RepositoryName, digest: Digest) -> Decision:
        """Whether a manifest that uses the blob, and may be handed to the principal, clears it.

        Only manifests that name the blob themselves count, never indexes above them: an index is cleared without
        those of its members that do not count, and must not carry their blobs past the gate.
        """
        if principal.may(Action.PUSH, repository) or self._bound(repository).mode is Mode.AUDIT:
            return ALLOWED
        generations = (self._metadata.generation(), self.generation())
        if generations != self._blobs_at or len(self._blobs) > _REMEMBERED_BLOBS:
            self._blobs.clear()
            self._blobs_at = generations
        known = self._blobs.get((repository, digest))
        if known is None:
            known = await self._at_blob(principal, repository, digest)
            if generations == self._blobs_at == (self._metadata.generation(), self.generation()):
                self._blobs[repository, digest] = known
        return known

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
        """Verdict and decision at the door to a deployment, judged now when they are not known yet."""
        bound = self._bound(repository)
        policy = bound.policy
        verdict = await self.judge.verdict(repository, digest, policy, self._settings.wait_seconds)
        may_push = principal.may(Action.PUSH, repository)
        decision = self._decision(Door.REFERENCE, bound, repository, digest, None, verdict, may_push=may_push)
        return Standing(verdict, decision, {"name": policy.name, "digest": policy.digest})

    async def image_facts(self, repository: RepositoryName, digest: Digest) -> ImageFacts | None:
        """All facts of an image; `None` for an index, an artifact, or while inspection goes on."""
        subject = await self.inspector.subject(repository, digest, wait=self._settings.wait_seconds)
        return facts_of_subject(subject) if subject is not None and subject.kind is Kind.IMAGE else None

    async def catch_up(self) -> None:
        """Judge what has no verdict yet, and look again where earlier detectors looked.

        After a crash, a lost ledger, a policy that is new in the settings, or a newer version of this program.
        """
        after = 0
        while page := await self._metadata.read(manifest_page, after, _PAGE):
            after = page[-1][0]
            for repository, digest in await asyncio.to_thread(self._behind, page):
                await self._catch_up_with(repository, digest)

    def _behind(self, page: Sequence[tuple[int, RepositoryName, Digest]]) -> list[tuple[RepositoryName, Digest]]:
        """Those that have no verdict, or one made of what earlier detectors saw."""
        self._ledger.settle()
        digests = [digest for _, _, digest in page]
        seen = self._ledger.read(subjects.among, digests, CURRENT)
        judged: dict[str, set[str]] = {}
        behind = []
        for _, repository, digest in page:
            policy = self._bound(repository).policy.digest
            if policy not in judged:
                judged[policy] = self._ledger.read(verdicts.among, policy, digests)
            if digest not in seen or digest not in judged[policy]:
                behind.append((repository, digest))
        return behind

    async def _catch_up_with(self, repository: RepositoryName, digest: Digest) -> None:
        policy = self._bound(repository).policy
        try:
            await self.inspector.renew(repository, digest)
            await self.judge.state(repository, digest, policy, _PATIENCE_SECONDS)
        except Exception as error:  # noqa: BLE001 - one manifest that cannot be judged must not keep the others back
            structlog.get_logger().warning("not_judged", repository=repository, digest=digest, reason=str(error))

    @property
    def ledger(self) -> Ledger:
        """What was seen and decided."""
        return self._ledger

    @property
    def settings(self) -> JudgingSettings:
        """The settings in force."""
        return self._settings

    @property
    def bindings(self) -> BindingsInForce:
        """Which policy and mode count where."""
        return self._bindings

    def tried(self, settings: JudgingSettings) -> BindingsInForce:
        """The bindings that other settings would bring, without putting them in force.

        Raises:
            PolicyRefused: they name a policy that is not known or cannot be used.
        """
        return BindingsInForce(settings, self._orders)

    def turn(self, settings: JudgingSettings, bindings: BindingsInForce) -> None:
        """Put other settings in force at once; whatever has begun ends under those it began with."""
        self._settings = settings
        self._bindings = bindings
        self.inspector.follow(settings.inspection)
        self.judge.follow(settings.verdict_cache)
        self._generation.bump()

    def close(self) -> None:
        """End the inspection workers and let go of the ledger."""
        self.inspector.close()
        self._ledger.close()

    def _on_found(self, subject: Subject, replaced: bool) -> None:  # noqa: FBT001
        if replaced:
            self.judge.forget(subject.manifest)
        self._generation.bump()

    def _bound(self, repository: str) -> Bound:
        return self._bindings.current().of(repository)

    def _is_open(self, digest: Digest, bound: Bound) -> bool:
        """Whether it is known that everybody who may pull gets the manifest, and without a warning."""
        return not bound.policy.is_soft and self.judge.known_state(digest, bound.policy) in _OPEN

    async def _at(  # noqa: PLR0913, PLR0917
        self,
        door: Door,
        principal: Principal,
        repository: RepositoryName,
        digest: Digest,
        tag: Tag | None,
        manifest: Manifest | None = None,
    ) -> Decision:
        bound = self._bound(repository)
        may_push = principal.may(Action.PUSH, repository)
        if manifest is None and (may_push or bound.mode is Mode.AUDIT or self._is_open(digest, bound)):
            return ALLOWED
        verdict = await self.judge.verdict(repository, digest, bound.policy, self._settings.wait_seconds, manifest)
        return self._decision(door, bound, repository, digest, tag, verdict, may_push=may_push)

    async def _at_blob(self, principal: Principal, repository: RepositoryName, digest: Digest) -> Decision:
        reason = "no manifest of this repository uses it"
        for manifest in await self._metadata.read(manifests_using, repository, digest):
            found = await self._at(Door.BLOB, principal, repository, manifest, None)
            if found.allowed:
                return ALLOWED
            reason = f"only images that are not cleared use it: {found.message}"
        policy = self._bound(repository).policy
        name = named(repository, digest)
        return Decision(False, f"{name} is not cleared by policy {policy.name}: {reason}", {"digest": digest})

    def _decision(  # noqa: PLR0913, PLR0917
        self,
        door: Door,
        bound: Bound,
        repository: RepositoryName,
        digest: Digest,
        tag: Tag | None,
        verdict: Verdict | None,
        *,
        may_push: bool,
    ) -> Decision:
        # `bound` is what the question began with: the policy may have been replaced while its layers were waited for.
        state = State.PENDING if verdict is None else verdict.state
        excused = self._excused(repository, digest, verdict)
        outcome = decide(Question(door, state, bound.mode, may_push, exempt=bool(excused)))
        soft = () if verdict is None else verdict.warnings
        if outcome is Outcome.ALLOW:
            return Decision(True, warnings=soft)
        message = refusal(named(repository, tag or digest), bound.policy, verdict)
        if outcome is Outcome.DENY:
            return Decision(False, message, refusal_detail(repository, digest, bound.policy, verdict))
        return Decision(True, warnings=(*(excused or (message,)), *soft))

    def _excused(self, repository: str, digest: str, verdict: Verdict | None) -> tuple[str, ...]:
        exemptions = self._orders.current().exemptions
        if verdict is None or verdict.state is not State.REFUSED or not exemptions:
            return ()
        return exempted(exemptions, repository, digest, verdict.findings, self._clock())

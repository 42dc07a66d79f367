"""The policies of a data folder: which there are and where they count, trying one, activating and deactivating it."""

import asyncio
import time
from collections import Counter
from collections.abc import Collection
from dataclasses import asdict, dataclass
from typing import Any

from policy.assessment.settings import JudgingSettings
from policy.definition.policy import Policy, known_policies, named_policy
from policy.enforcement.activation import activate, deactivate
from policy.enforcement.assignments import Assignments, Reason
from policy.enforcement.operator_store import OperatorStore
from policy.results import verdicts
from policy.results.store import ResultStore
from registry.content.progress import Tell
from registry.metadata.reachability import stored_names
from registry.metadata.store import MetadataStore
from registry.oci.timestamp import timestamp


@dataclass(frozen=True, slots=True)
class PolicyBook:
    """What acts on policies need. Whatever reads all that is stored does so in a thread.

    Attributes:
        orders: the standing orders.
        settings: how images are judged, by the settings.
        bindings: the assignments in force.
        results: policy.db.
        metadata: the rows of the registry.
    """

    orders: OperatorStore
    settings: JudgingSettings
    bindings: Assignments
    results: ResultStore
    metadata: MetadataStore

    def policies(self) -> dict[str, Policy]:
        """Those in files, and those that were activated and whose files are gone. Raises PolicyRefused."""
        active = {item.name: item for item in self.bindings.policies}
        return active | known_policies(self.settings.folder)

    def named(self, name: str) -> Policy:
        """A policy of that name. Raises PolicyRefused."""
        return named_policy(self.policies(), name)

    async def listed(self) -> list[dict[str, Any]]:
        """`[{"name", "digest", "title", "date", "in_force", "verdicts"}]`; verdicts on what is stored are counted."""
        stored = await self.stored()
        return await asyncio.to_thread(self._listed, stored)

    async def stored(self) -> frozenset[str]:
        """The digests of the manifests that are stored."""
        return frozenset(item.digest for item in await self.metadata.read_apart(stored_names))

    def shown(self, name: str) -> dict[str, Any]:
        """The digest and the content of a policy, as it is in force where it is. Raises PolicyRefused."""
        active = {item.name: item for item in self.bindings.policies}
        found = active.get(name) or self.named(name)
        return {"name": found.name, "digest": found.digest, **found.content}

    async def replayed(self, policy: Policy, repositories: str, tell: Tell) -> dict[str, Any]:
        """What would change under a policy: `policy.enforcement.replay.Replay`, with the name of the policy."""
        # With the first replay, not with the start of a server.
        from policy.enforcement.replay import replay  # noqa: PLC0415

        stored = await self.metadata.read_apart(stored_names)
        done = await asyncio.to_thread(replay, self.results, stored, self.bindings, policy, repositories, tell)
        return {"policy": policy.name, **asdict(done)}

    async def activated(self, policy: Policy, repositories: str, tell: Tell) -> dict[str, Any]:
        """Judge everything, then switch: `{"name", "digest", "repositories", "judged"}`."""
        now = time.time()
        judged = await asyncio.to_thread(activate, self.orders, self.results, policy, repositories, now, tell)
        return {
            "name": policy.name,
            "digest": policy.digest,
            "repositories": repositories,
            "judged": len(judged.states),
        }

    async def deactivated(self, repositories: str) -> dict[str, Any]:
        """Judge everything, then let the settings count again: `{"repositories", "in_force", "reasons"}` by pattern."""
        bindings = await asyncio.to_thread(deactivate, self.orders, self.results, self.settings, repositories)
        return {
            "repositories": repositories,
            "in_force": {pattern: policy.name for pattern, policy in bindings.by_pattern.items()},
            "reasons": {pattern: why(bindings.why(pattern)) for pattern in bindings.by_pattern},
        }

    def _listed(self, stored: Collection[str]) -> list[dict[str, Any]]:
        return [
            {
                "name": item.name,
                "digest": item.digest,
                "title": item.document.title,
                "date": item.document.source.date,
                "in_force": self.places(item),
                "verdicts": self.counts(item, stored),
            }
            for item in self.known()
        ]

    def known(self) -> list[Policy]:
        """`policies`, and what is in force under the name of a file that says something else by now; by name."""
        found = {item.digest: item for item in (*self.policies().values(), *self.bindings.policies)}
        return sorted(found.values(), key=lambda item: item.name)

    def places(self, policy: Policy) -> list[dict[str, Any]]:
        """Where a policy counts: `[{"repositories", "mode", "by", "why"}]`."""
        bindings = self.bindings
        return [
            {
                "repositories": pattern,
                "mode": bindings.mode_of(pattern).value,
                "by": "settings" if bindings.why(pattern).since is None else "command",
                "why": why(bindings.why(pattern)),
            }
            for pattern, bound in bindings.by_pattern.items()
            if bound.digest == policy.digest
        ]

    def counts(self, policy: Policy, stored: Collection[str]) -> dict[str, int]:
        """How many of the stored manifests a policy has put in each state. Blocks."""
        states = self.results.read(verdicts.all_states, policy.digest)
        return dict(sorted(Counter(state.value for manifest, state in states.items() if manifest in stored).items()))

    def totals(self, policy: Policy) -> dict[str, int]:
        """The same at once, from an index: what was deleted in the last half hour may still be among them."""
        found = self.results.read(verdicts.totals, policy.digest)
        return dict(sorted((state.value, number) for state, number in found.items()))


def why(reason: Reason) -> str:
    """Why a policy counts for a pattern, in words."""
    if reason.since is None:
        return f"by the setting {reason.setting}"
    undone = f"{reason.setting} says {reason.settled}" if reason.settled else "the settings say nothing of it"
    return f"by `policy activate` since {timestamp(reason.since)}, whatever the settings say ({undone})"

"""Policies: what each asks for, and, for owners, where it counts and what it would change elsewhere."""

import asyncio
from collections import Counter
from typing import TYPE_CHECKING, Any

from policy.definition.policy import Policy, PolicyRefused
from policy.enforcement.gate import PolicyGate
from policy.enforcement.policy_book import PolicyBook
from policy.web.owners import is_owner, require_owner
from policy.web.pages.marks import in_words
from policy.web.visit import View, Visit
from registry.metadata.reachability import stored_names
from registry.oci.errors import NotFound

if TYPE_CHECKING:
    from policy.enforcement.replay import Replay

_FLIPS = 50


class PoliciesPage:
    """Builds `/policies`; with `?replay=NAME`, what would change under that policy everywhere.

    Args:
        gate: knows the policies in force.
    """

    def __init__(self, gate: PolicyGate) -> None:
        self._gate = gate
        self._replaying = asyncio.Lock()

    async def __call__(self, visit: Visit) -> View:
        """Which policies there are is no secret; counts and names of repositories are for owners."""
        book, owner = self._book(visit), is_owner(visit)
        document: dict[str, Any] = {
            "policies": await asyncio.to_thread(_described, book, owner=owner),
            "replay": None,
        }
        wanted = visit.asked("replay", 128)
        if wanted:
            require_owner(visit, "see what a policy would change")
            document["replay"] = await self._replay(visit, wanted, book)
        return View("policies.html", document, {"is_owner": owner})

    def _book(self, visit: Visit) -> PolicyBook:
        gate, stores = self._gate, visit.services.stores
        return PolicyBook(gate.orders, gate.settings, gate.bindings.current(), gate.results, stores.metadata)

    async def _replay(self, visit: Visit, name: str, book: PolicyBook) -> dict[str, Any]:
        """One at a time: it reads the facts of everything."""
        try:
            policy = await asyncio.to_thread(book.named, name)
        except PolicyRefused as refusal:
            raise NotFound(str(refusal)) from None
        # With the first preview, not with the start.
        from policy.enforcement.replay import replay  # noqa: PLC0415

        async with self._replaying:
            stored = await visit.services.stores.metadata.read_apart(stored_names)
            bindings = self._gate.bindings.current()
            done = await asyncio.to_thread(replay, self._gate.results, stored, bindings, policy, "*")
        return _replay_document(name, done)


def _described(book: PolicyBook, *, owner: bool) -> list[dict[str, Any]]:
    """Not in the event loop: policies are files."""
    return [_policy(book, item, owner=owner) for item in book.known()]


def _policy(book: PolicyBook, item: Policy, *, owner: bool) -> dict[str, Any]:
    source = item.document.source
    return {
        "name": item.name,
        "digest": item.digest,
        "title": item.document.title,
        "source": {"document": source.document, "date": source.date, "url": source.url, "text": source.text},
        "rules": [
            {"rule": rule.name, "needs": in_words(rule.name, rule.needs), "soft": rule.soft} for rule in item.rules
        ],
        "in_force": book.places(item) if owner else [],
        "verdicts": book.totals(item) if owner else {},
    }


def _replay_document(name: str, done: "Replay") -> dict[str, Any]:
    turns = Counter((flip.before.value, flip.after.value) for flip in done.flips)
    return {
        "policy": name,
        "looked_at": done.looked_at,
        "unknown": done.unknown,
        "after": {state.value: count for state, count in done.after.items()},
        "changes": len(done.flips),
        "turns": [{"before": before, "after": after, "count": count} for (before, after), count in turns.items()],
        "flips": [
            {
                "repository": flip.repository,
                "digest": flip.digest,
                "tags": list(flip.tags[:5]),
                "before": flip.before.value,
                "after": flip.after.value,
                "reasons": list(flip.reasons),
            }
            for flip in done.flips[:_FLIPS]
        ],
    }

"""Acts on policies and exemptions."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from policy.administration.exemption_book import exemption_document, exemptions_document
from policy.definition.policy import Policy
from policy.enforcement.assignments import AssignmentsInForce
from policy.enforcement.exemptions import Exemption
from policy.enforcement.judging_stores import open_judging
from policy.enforcement.policy_book import PolicyBook
from policy.settings import judging_section
from registry.administration.act import BASE, Act, Holdings
from registry.content.progress import Tell

POLICIES, EXEMPTIONS = f"{BASE}/policies", f"{BASE}/exemptions"


@dataclass(frozen=True, slots=True)
class ChosenPolicy:
    """A policy by its name where the act is done, or one that was read from a file where the command runs.

    Attributes:
        name: of a policy that is known there.
        read: the policy of a file.
    """

    name: str = ""
    read: Policy | None = None

    def body(self) -> dict[str, Any]:
        """As it is sent to a server."""
        return {"policy": self.name} if self.read is None else {"content": dict(self.read.content)}

    def of(self, book: PolicyBook) -> Policy:
        """The policy itself. Raises PolicyRefused."""
        return self.read or book.named(self.name)


def list_policies() -> Act:
    """`{"policies": [POLICY]}`: `PolicyBook.listed`."""

    async def here(holdings: Holdings) -> dict[str, Any]:
        async with _book(holdings) as book:
            return {"policies": await book.listed()}

    return Act("GET", POLICIES, here)


def show_policy(name: str) -> Act:
    """A policy: `PolicyBook.shown`."""

    async def here(holdings: Holdings) -> dict[str, Any]:
        async with _book(holdings) as book:
            return book.shown(name)

    return Act("GET", f"{POLICIES}/{quote(name, safe='')}", here)


def replay_policy(policy: ChosenPolicy, repositories: str) -> Act:
    """What would change: `PolicyBook.replayed`."""

    def work(book: PolicyBook, chosen: Policy, tell: Tell) -> Awaitable[dict[str, Any]]:
        return book.replayed(chosen, repositories, tell)

    return _on_all("replay", policy, repositories, work)


def activate_policy(policy: ChosenPolicy, repositories: str) -> Act:
    """Put it into force: `PolicyBook.activated`."""

    def work(book: PolicyBook, chosen: Policy, tell: Tell) -> Awaitable[dict[str, Any]]:
        return book.activated(chosen, repositories, tell)

    return _on_all("activate", policy, repositories, work)


def deactivate_policy(repositories: str) -> Act:
    """Let the settings count again: `PolicyBook.deactivated`."""

    async def here(holdings: Holdings) -> dict[str, Any]:
        async with _book(holdings) as book:
            return await book.deactivated(repositories)

    return Act("POST", f"{POLICIES}/deactivate", here, body={"repositories": repositories}, is_run=True)


def list_exemptions() -> Act:
    """`{"exemptions": [EXEMPTION]}`, those that have ended too."""

    async def here(holdings: Holdings) -> dict[str, Any]:
        with closing(open_judging(holdings.settings.current)) as judging:
            return exemptions_document(judging.orders.current().exemptions)

    return Act("GET", EXEMPTIONS, here)


def make_exemption(made: Exemption, until: str) -> Act:
    """One more: the exemption. `until` is as the person wrote it."""

    async def here(holdings: Holdings) -> dict[str, Any]:
        with closing(open_judging(holdings.settings.current)) as judging:
            judging.orders.change(lambda orders: orders.with_exemption(made))
        return exemption_document(made)

    body = {"repositories": made.repositories, "rule": made.rule, "owner": made.owner, "reason": made.reason}
    body |= {"until": until} | ({"digest": made.digest} if made.digest else {})
    return Act("POST", EXEMPTIONS, here, body=body)


def end_exemption(identifier: str) -> Act:
    """One fewer: `{"exemption"}`."""

    async def here(holdings: Holdings) -> dict[str, Any]:
        with closing(open_judging(holdings.settings.current)) as judging:
            judging.orders.change(lambda orders: orders.without_exemption(identifier))
        return {"exemption": identifier}

    return Act("DELETE", f"{EXEMPTIONS}/{quote(identifier, safe='')}", here)


def _on_all(
    verb: str,
    policy: ChosenPolicy,
    repositories: str,
    work: Callable[[PolicyBook, Policy, Tell], Awaitable[dict[str, Any]]],
) -> Act:
    async def here(holdings: Holdings) -> dict[str, Any]:
        async with _book(holdings) as book:
            return await work(book, policy.of(book), holdings.tell)

    body = policy.body() | {"repositories": repositories}
    return Act("POST", f"{POLICIES}/{verb}", here, body=body, is_run=True)


@asynccontextmanager
async def _book(holdings: Holdings) -> AsyncIterator[PolicyBook]:
    """The book of a data folder, whose results are closed at the end."""
    settings = holdings.settings.current
    with closing(open_judging(settings)) as judging:
        section = judging_section(settings)
        bindings = AssignmentsInForce(section, judging.orders).current()
        yield PolicyBook(judging.orders, section, bindings, judging.results, holdings.metadata)

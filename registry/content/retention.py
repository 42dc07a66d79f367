"""Retention: what the rules of the settings keep, what they do not, and removing that.

A plan says what would be removed; a run removes what a plan says, and nothing else. Before that it is made again from
the state of now, for the time of the plan: when anything else comes out, nothing is removed. A server runs its plan at
once: there, what has changed is left repository by repository.
"""

import asyncio
import hashlib
import json
import math
import time
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from registry.config.group import DAY
from registry.config.retention import Keep, RetentionRule
from registry.config.settings import RegistrySettings, SettingsInForce
from registry.content.immutability import immutable_in
from registry.content.retention_plan import DELETE, Judged, Moment, Unkept, judge_all
from registry.content.retention_state import ordered_days, read_state
from registry.content.retention_steps import RepositoryRemoval
from registry.errors import BasegateError
from registry.metadata import listings, retained, trash
from registry.metadata.store import MetadataStore
from registry.metadata.trash import Removal
from registry.oci.digest import Digest
from registry.oci.errors import NameUnknown
from registry.oci.names import RepositoryName
from registry.oci.patterns import any_covers
from registry.oci.timestamp import exact_timestamp, timestamp, zoned_seconds_of

_PAGE = 1000
_SHOWN = 5
Told = Callable[[str, Sequence[Unkept]], None]
"""Is told the name of a run, and what it has removed just now."""


@dataclass(frozen=True, slots=True)
class Marks:
    """What holds of manifests.

    Attributes:
        words: those that rules may name (`marked`).
        of: the words for manifests of a repository; none at all for one of which it is not known yet.
    """

    words: frozenset[str]
    of: Callable[[RepositoryName, Sequence[Digest]], Awaitable[Mapping[Digest, Collection[str]]]]


class RetentionRefused(BasegateError):
    """The rules cannot be applied, or a plan not be run."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What the rules say of everything.

    Attributes:
        made: the time that it is for, seconds since the epoch.
        pulls_since: since when pulls were recorded; 0: no rule asks.
        unkept: what nothing keeps, by repository, tags before manifests.
        kept: tags and manifests that are kept, by the number of the rule; 0: no rule matches the repository.
    """

    made: float
    pulls_since: float
    unkept: tuple[Unkept, ...]
    kept: Mapping[int, int]

    @property
    def removed(self) -> tuple[Unkept, ...]:
        """What a run removes."""
        return tuple(item for item in self.unkept if item.action == DELETE)

    @property
    def digest(self) -> str:
        """SHA-256 of what it says, in hexadecimal."""
        text = json.dumps([self.made, [asdict(item) for item in self.unkept]], sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class RetentionReport:
    """What a run has removed.

    Attributes:
        run: its name in the trash; "" when it removed nothing.
        removed: in the order of the plan.
        spared: what stays, since its repository changed while the run went on.
    """

    run: str
    removed: tuple[Unkept, ...]
    spared: tuple[Unkept, ...]


class Retention:
    """Makes and runs plans.

    Args:
        metadata: the rows.
        settings: with the rules.
        marks: what holds of manifests; `None` where nobody says.
        pulls_since: since when pulls have been recorded without a gap, seconds since the epoch; `None`: they are not.
        ordered_days: after how many days untagged manifests go, where the rules do not mention them; `None`: never.
    """

    def __init__(
        self,
        metadata: MetadataStore,
        settings: SettingsInForce[RegistrySettings],
        marks: Marks | None,
        pulls_since: Callable[[], float | None],
        ordered_days: Callable[[], int | None] = lambda: None,
    ) -> None:
        self._metadata = metadata
        self._settings = settings
        self._marks = marks
        self._pulls_since = pulls_since
        self._ordered_days = ordered_days

    async def plan(self, now: float | None = None) -> Plan:
        """What the rules say now; nothing is changed.

        Raises:
            RetentionRefused: a rule asks what is not known.
        """
        since, ordered = await self._known()
        moment = round(time.time() if now is None else now, 6)  # as a text tells it
        unkept: list[Unkept] = []
        kept: dict[int, int] = {}
        after = ""
        while names := await self._metadata.read_apart(listings.names, after, _PAGE):
            for name in names:
                number, rules = self._rules_of(name, ordered)
                content = await self._metadata.read_apart(retained.content_of, name) if rules else None
                if content is None:
                    continue
                judged = await self._judged(content, rules, moment, since)
                unkept += judged.unkept
                if number and (judged.kept or judged.unkept):
                    kept[number] = kept.get(number, 0) + len(judged.kept)
            after = names[-1]
        return Plan(moment, since, tuple(unkept), kept)

    async def made_again(self, made: float, digest: str) -> Plan:
        """The plan of a time (seconds since the epoch), from the state of now.

        Raises:
            RetentionRefused: it is not the plan of that digest, or a rule asks what is not known.
        """
        plan = await self.plan(made)
        if await asyncio.to_thread(lambda: plan.digest) != digest:
            raise RetentionRefused(
                f"the plan of {timestamp(made)} is older than the state: something has changed since: make a new plan"
            )
        return plan

    async def explain(self, name: RepositoryName) -> Judged | None:
        """Why each tag and manifest of a repository is kept, and what is not; `None` when no rule matches it.

        Raises:
            NameUnknown: there is no such repository.
            RetentionRefused: a rule asks what is not known.
        """
        since, ordered = await self._known()
        content = await self._metadata.read_apart(retained.content_of, name)
        if content is None:
            raise NameUnknown(f"this registry holds no repository {name}", {"name": name})
        _, rules = self._rules_of(name, ordered)
        return await self._judged(content, rules, time.time(), since) if rules else None

    async def reasons(self, digest: Digest) -> list[str]:
        """What the rules say of a manifest: a sentence for each repository that has it and that a rule matches."""
        sentences = []
        for name in await self._metadata.read(retained.holders, digest, _SHOWN):
            try:
                judged = await self.explain(name)
            except RetentionRefused as refusal:
                return [str(refusal)]
            except NameUnknown:  # removed meanwhile
                continue
            if judged is not None:
                sentences.append(f"in {name}, {_sentence(judged, digest)}")
        return sentences

    async def run(self, plan: Plan, told: Told = lambda _run, _gone: None, *, whole: bool = True) -> RetentionReport:
        """Remove what a plan says, repository by repository, in steps of `retention.step`.

        Args:
            plan: may be that of yesterday.
            told: is called after each step with the name of the run, and what has been removed.
            whole: refuse a plan of which anything has changed; else only the repositories that changed are left.

        Raises:
            RetentionRefused: the plan is not what comes out now, or a rule asks what is not known.
        """
        if whole:
            await self._require_same(plan)
        ordered = await asyncio.to_thread(self._ordered_days)
        removal = trash.retention(time.time())
        removed: set[Unkept] = set()

        def note(gone: Sequence[Unkept]) -> None:
            removed.update(gone)
            told(removal.run, gone)

        for name, planned in _by_repository(plan.unkept).items():
            await self._removal(self._rules_of(name, ordered)[1], planned, plan, removal, note).run()
        gone = tuple(item for item in plan.removed if item in removed)
        spared = sorted(set(plan.removed) - removed)
        return RetentionReport(removal.run if removed else "", gone, tuple(spared))

    def _removal(
        self,
        rules: Sequence[RetentionRule],
        planned: Sequence[Unkept],
        plan: Plan,
        removal: Removal,
        note: Callable[[Sequence[Unkept]], None],
    ) -> RepositoryRemoval:
        name, step = planned[0].repository, self._settings.current.retention.step

        def moment_of(content: retained.RepositoryContent) -> Awaitable[Moment]:
            return self._moment(rules, content, plan.made, plan.pulls_since)

        return RepositoryRemoval(self._metadata, name, rules, planned, removal, moment_of, step, note)

    async def _require_same(self, plan: Plan) -> None:
        again = await self.plan(plan.made)
        if again.unkept != plan.unkept:
            other = min(set(again.unkept) ^ set(plan.unkept))
            what = f"{other.repository}:{other.tag}" if other.tag else f"{other.repository}@{other.digest}"
            raise RetentionRefused(
                f"the plan of {timestamp(plan.made)} is older than the state: {what} has changed since: make a new plan"
            )

    async def _judged(
        self, content: retained.RepositoryContent, rules: Sequence[RetentionRule], now: float, since: float
    ) -> Judged:
        moment = await self._moment(rules, content, now, since)
        return await asyncio.to_thread(judge_all, content, rules, moment)

    async def _moment(
        self, rules: Sequence[RetentionRule], content: retained.RepositoryContent, now: float, since: float
    ) -> Moment:
        marks: Mapping[Digest, Collection[str]] = {}
        if self._marks is not None and any(keep.marked for rule in rules for keep in rule.keep):
            marks = await self._marks.of(content.name, list(content.manifests))
        settings = self._settings.current
        days = settings.history.keep_days
        history = now - days * DAY if days else math.inf
        late = settings.pulls.interval_seconds + settings.pulls.write_seconds
        return Moment(now, since, marks, immutable_in(settings, content.name), history, late)

    async def _known(self) -> tuple[float, int | None]:
        """Since when pulls are recorded, 0 when no rule asks, and the days that were ordered: both from files."""
        return await asyncio.to_thread(lambda: (self._require_known(), self._ordered_days()))

    def _rules_of(self, name: RepositoryName, days: int | None) -> tuple[int, list[RetentionRule]]:
        """The number of the rule that matches (0: none does), and what is to be applied; `days`: as was ordered."""
        rules = self._settings.current.retention.rules
        numbers = (number for number, rule in enumerate(rules, start=1) if any_covers(rule.repositories, name))
        number = next(numbers, 0)
        found = [rules[number - 1]] if number else []
        if days is not None and not any(keep.untagged for rule in found for keep in rule.keep):
            lone = Keep(untagged=True, younger_days=days)
            found.append(RetentionRule.model_validate({"keep": [lone], "else": DELETE}))
        return number, found

    def _require_known(self) -> float:
        """Check that what rules ask is recorded; returns since when pulls are, or 0 when no rule asks."""
        since, words = 0.0, frozenset() if self._marks is None else self._marks.words
        for number, rule in enumerate(self._settings.current.retention.rules, start=1):
            strange = sorted({word for keep in rule.keep for word in keep.marked} - words)
            if strange:
                known = ", ".join(sorted(words)) or "nothing: this registry has no policies"
                raise RetentionRefused(
                    f"rule {number} of retention keeps what is marked {strange[0]!r}, known is {known}"
                )
            if any(keep.pulled_days is not None for keep in rule.keep):
                recorded = self._pulls_since()
                if recorded is None:
                    raise RetentionRefused(
                        f"rule {number} of retention keeps by pull times, and pulls are not recorded: set "
                        "pulls.interval_seconds above 0 and have the server run, or change the rule"
                    )
                since = round(recorded, 6)
        return since


def open_retention(
    metadata: MetadataStore, settings: SettingsInForce[RegistrySettings], marks: Marks | None
) -> Retention:
    """Retention over the data folder of the settings: orders, and since when pulls are recorded, are read there."""

    def pulls_since() -> float | None:
        current = settings.current
        return (read_state(current.data).pulls_since or None) if current.pulls.interval_seconds else None

    return Retention(metadata, settings, marks, pulls_since, lambda: ordered_days(settings.current.data))


def plan_as_json(plan: Plan) -> dict[str, Any]:
    """A plan as a document, from which `plan_from_json` makes it again."""
    return {
        "made": exact_timestamp(plan.made),
        "pulls_since": exact_timestamp(plan.pulls_since) if plan.pulls_since else "",
        "digest": plan.digest,
        "kept": {str(number): count for number, count in plan.kept.items()},
        "unkept": [asdict(item) for item in plan.unkept],
    }


def plan_from_json(text: bytes) -> Plan:
    """A plan as a file has it. Raises RetentionRefused: it is no plan, or was changed."""
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        document = None
    return plan_of(document)


def plan_of(document: Any) -> Plan:
    """A plan as `plan_as_json` told it.

    Raises:
        RetentionRefused: it is no plan, or was changed.
    """
    try:
        unkept = tuple(
            Unkept(
                RepositoryName(item["repository"]), item["tag"], Digest(item["digest"]), item["action"], item["reason"]
            )
            for item in document["unkept"]
        )
        kept = {int(number): count for number, count in document["kept"].items()}
        since = document["pulls_since"]
        plan = Plan(zoned_seconds_of(document["made"]), zoned_seconds_of(since) if since else 0.0, unkept, kept)
        if plan.digest == document["digest"]:
            return plan
    except (ValueError, TypeError, KeyError, AttributeError):
        pass
    raise RetentionRefused("this is no plan as `basegate retention plan --json` writes it: make a new one")


def _by_repository(unkept: Sequence[Unkept]) -> dict[RepositoryName, list[Unkept]]:
    """All that is not kept of the repositories of which something is removed."""
    found: dict[RepositoryName, list[Unkept]] = {}
    for item in unkept:
        found.setdefault(item.repository, []).append(item)
    return {name: items for name, items in found.items() if any(item.action == DELETE for item in items)}


def _sentence(judged: Judged, digest: Digest) -> str:
    if digest in judged.kept:
        return f"the rules of retention keep it: {judged.kept[digest]}"
    deleted = any(item.action == DELETE for item in judged.unkept if item.digest == digest)
    what = "the next run of retention removes it" if deleted else "which is reported and no more"
    return f"no rule of retention keeps it: {what}"

"""What the rules of retention say of one repository. A pure function of its content, the rules, marks and a time.

Rules keep; nothing is removed because a rule names it. A manifest is kept with a tag of it, with an index that names
it, and with its subject. What cannot be removed (a lock, a hold, an immutable tag) is kept whatever the rules say.
"""

import math
import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, TypeVar

from registry.config.group import DAY
from registry.config.retention import Keep, RetentionRule
from registry.metadata.retained import ManifestState, RepositoryContent, TagState
from registry.oci.digest import Digest
from registry.oci.names import RepositoryName, Tag
from registry.oci.patterns import any_covers

_OF_A_DIGEST = re.compile(r"(sha256|sha512)-([0-9a-f]{64,128})(\..+)?")
DELETE: Final = "delete"
_T = TypeVar("_T", TagState, ManifestState)


@dataclass(frozen=True, slots=True)
class Moment:
    """What else a judgement depends on.

    Attributes:
        now: seconds since the epoch.
        pulls_since: since when pulls are recorded: what was not pulled since counts as pulled then.
        marks: what holds of manifests, for those of which it is known.
        immutable: whether a tag never moves or goes.
        history_since: what a tag has left since then is kept for the sake of tag history.
        pulls_late: by how many seconds the last pull may be later than the one that is written.
    """

    now: float
    pulls_since: float = 0.0
    marks: Mapping[Digest, Collection[str]] = field(default_factory=dict)
    immutable: Callable[[Tag], bool] = lambda _tag: False
    history_since: float = math.inf
    pulls_late: float = 0.0


@dataclass(frozen=True, slots=True, order=True)
class Unkept:
    """A tag, or a manifest (`tag` is ""), that nothing keeps; `action` is report or delete."""

    repository: RepositoryName
    tag: str
    digest: Digest
    action: str
    reason: str


@dataclass(frozen=True, slots=True)
class Judged:
    """What is said of a repository: what nothing keeps, tags first, and why each tag and manifest is kept."""

    unkept: tuple[Unkept, ...]
    kept: Mapping[str, str]


def judge_all(content: RepositoryContent, rules: Sequence[RetentionRule], moment: Moment) -> Judged:
    """Apply several rules: what one of them does not keep is not kept, and deleted when one of them deletes it."""
    judged = [judge(content, rule, moment) for rule in rules]
    found = sorted((item for each in judged for item in each.unkept), key=lambda item: item.action == DELETE)
    unkept = {(item.tag, item.digest): item for item in found}
    gone = {tag or digest for tag, digest in unkept}
    kept = {name: why for each in judged for name, why in each.kept.items() if name not in gone}
    return Judged(tuple(sorted(unkept.values(), key=lambda item: (not item.tag, item.tag, item.digest))), kept)


def judge(content: RepositoryContent, rule: RetentionRule, moment: Moment) -> Judged:
    """Apply a rule to a repository."""
    if "" in content.fixed:
        names = [*(tag.name for tag in content.tags), *content.manifests]
        return Judged((), dict.fromkeys(names, "the repository is locked"))
    return _Judgement(content, rule, moment).result()


def subject_in_name(tag: str) -> str:
    """The digest of what a tag follows by its name, as signatures do; "" for none."""
    found = _OF_A_DIGEST.fullmatch(tag)
    return f"{found[1]}:{found[2]}" if found else ""


class _Judgement:
    def __init__(self, content: RepositoryContent, rule: RetentionRule, moment: Moment) -> None:
        self._content = content
        self._rule = rule
        self._moment = moment
        self._kept: dict[str, str] = {}
        self._attached: dict[str, list[TagState]] = {}
        self._referrers: dict[str, list[Digest]] = {}
        self._named: set[str] = set()
        for manifest in content.manifests.values():
            self._named.update(manifest.children)
            if manifest.subject:
                self._referrers.setdefault(manifest.subject, []).append(manifest.digest)

    def result(self) -> Judged:
        own = self._own_tags()
        self._keep_fixed()
        for number, keep in enumerate(self._rule.keep, start=1):
            self._apply(keep, f"entry {number} of the rule keeps it", own)
        self._keep_what_is_not_meant(own)
        self._spread()
        return Judged((*self._unkept_tags(), *self._unkept_manifests()), self._kept)

    def _own_tags(self) -> list[TagState]:
        """The tags, without those that follow a manifest by their name, as signatures and the referrers tag schema."""
        own = []
        for tag in self._content.tags:
            subject = subject_in_name(tag.name)
            if subject in self._content.manifests:
                self._attached.setdefault(subject, []).append(tag)
            else:
                own.append(tag)
        return own

    def _keep_fixed(self) -> None:
        fixed = self._content.fixed
        for tag in self._content.tags:
            why = fixed.get(tag.name) or fixed.get(tag.digest)
            if why or self._moment.immutable(tag.name):
                self._keep_tag(tag, why or "it is immutable")
        for digest, manifest in self._content.manifests.items():
            if digest in fixed:
                self._kept.setdefault(digest, fixed[digest])
            elif manifest.left > self._moment.history_since:
                self._kept.setdefault(digest, "a tag pointed at it lately: history keeps it (history.keep_days)")

    def _apply(self, keep: Keep, why: str, own: list[TagState]) -> None:
        if keep.untagged:
            for manifest in self._chosen(keep, self._lone(), _untagged_since, lambda item: item.digest):
                self._kept.setdefault(manifest.digest, why)
            return
        covered = [tag for tag in own if any_covers(keep.tags, tag.name)]
        for tag in self._chosen(keep, covered, self._age_of, lambda item: item.digest):
            self._keep_tag(tag, why)

    def _chosen(
        self, keep: Keep, of: list[_T], time: Callable[[_T], float], digest: Callable[[_T], Digest]
    ) -> list[_T]:
        now, since = self._moment.now, self._moment.pulls_since
        if keep.newest is not None:
            return sorted(of, key=lambda item: -time(item))[: keep.newest]
        if keep.younger_days is not None:
            limit = now - keep.younger_days * DAY
            return [item for item in of if time(item) >= limit]
        if keep.pulled_days is not None:
            limit = now - keep.pulled_days * DAY - self._moment.pulls_late
            return [item for item in of if max(item.pulled, since, time(item)) >= limit]
        if keep.marked:
            marks = self._moment.marks
            # What is not known yet may turn out to be any of them.
            return [item for item in of if set(keep.marked) & set(marks.get(digest(item), keep.marked))]
        return of

    def _age_of(self, tag: TagState) -> float:
        """When a tag was last moved, or its manifest pushed again."""
        manifest = self._content.manifests.get(tag.digest)
        return max(tag.moved, manifest.pushed if manifest else 0.0)

    def _keep_tag(self, tag: TagState, why: str) -> None:
        self._kept.setdefault(tag.name, why)
        self._kept.setdefault(tag.digest, f"tag {tag.name} is kept")

    def _lone(self) -> list[ManifestState]:
        """Manifests that nothing refers to, and that refer to nothing that is there."""
        tagged, there = {tag.digest for tag in self._content.tags}, self._content.manifests
        return [
            manifest
            for manifest in there.values()
            if manifest.digest not in tagged and manifest.digest not in self._named and manifest.subject not in there
        ]

    def _keep_what_is_not_meant(self, own: list[TagState]) -> None:
        """A rule without an entry of tags says nothing of tags, and so with untagged manifests."""
        if not any(keep.untagged for keep in self._rule.keep):
            for manifest in self._lone():
                self._kept.setdefault(
                    manifest.digest, "it has no tag, and no entry of the rule is of untagged manifests"
                )
        if all(keep.untagged for keep in self._rule.keep):
            for tag in own:
                self._keep_tag(tag, "no entry of the rule is of tags")

    def _spread(self) -> None:
        """Keep what is kept with something kept: parts of indexes, referrers, tags that follow a manifest."""
        waiting = [digest for digest in self._content.manifests if digest in self._kept]
        while waiting:
            digest = waiting.pop()
            for tag in self._attached.get(digest, ()):
                if tag.name not in self._kept:
                    self._kept[tag.name] = f"it follows {digest}, which is kept"
                waiting += self._with(tag.digest, f"tag {tag.name} is kept")
            for child in self._content.manifests[digest].children:
                waiting += self._with(child, f"it is part of {digest}, which is kept")
            for referrer in self._referrers.get(digest, ()):
                waiting += self._with(referrer, f"it refers to {digest}, which is kept")

    def _with(self, digest: str, why: str) -> list[Digest]:
        if digest in self._kept or digest not in self._content.manifests:
            return []
        self._kept[digest] = why
        return [Digest(digest)]

    def _unkept_tags(self) -> list[Unkept]:
        return [
            Unkept(self._content.name, tag.name, tag.digest, self._rule.otherwise, "no entry of the rule keeps it")
            for tag in self._content.tags
            if tag.name not in self._kept
        ]

    def _unkept_manifests(self) -> list[Unkept]:
        return [
            Unkept(self._content.name, "", digest, self._rule.otherwise, "nothing that is kept needs it")
            for digest in sorted(self._content.manifests)
            if digest not in self._kept
        ]


def _untagged_since(manifest: ManifestState) -> float:
    """When a manifest without a tag was pushed, or the last one left it."""
    return max(manifest.pushed, manifest.left)

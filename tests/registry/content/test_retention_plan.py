"""What rules of retention say of generated repositories, compared with an oracle that knows no order of steps."""

import hashlib
import math
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry.config.retention import Keep, RetentionRule
from registry.content.retention_plan import Judged, Moment, judge
from registry.metadata.retained import ManifestState, RepositoryContent, TagState
from registry.oci.digest import Digest
from registry.oci.names import RepositoryName, Tag

NAME = RepositoryName("team/app")
DAY = 86_400
NOW = 100.0 * DAY
MARKS = ("cleared", "refused", "exempt")


def digest(number: int) -> Digest:
    """The digest of a generated manifest."""
    return Digest(f"sha256:{hashlib.sha256(str(number).encode()).hexdigest()}")


def rule(*keep: dict[str, Any], **more: Any) -> RetentionRule:
    """A rule for every repository."""
    return RetentionRule.model_validate({"keep": keep, **more})


def content(manifests: list[ManifestState], tags: dict[str, tuple[int, float]], **fixed: str) -> RepositoryContent:
    """A repository with these tags: number of the manifest, and when it was moved."""
    states = tuple(TagState(Tag(name), digest(number), moved) for name, (number, moved) in sorted(tags.items()))
    return RepositoryContent(NAME, states, {item.digest: item for item in manifests}, dict(fixed))


def image(number: int, pushed: float = 0.0, **more: Any) -> ManifestState:
    """A manifest."""
    return ManifestState(digest(number), pushed, **more)


def unkept(judged: Judged) -> set[str]:
    """Names of tags, and digests of manifests, that nothing keeps."""
    return {item.tag or item.digest for item in judged.unkept}


@st.composite
def repositories(draw: st.DrawFn) -> RepositoryContent:
    """A repository in which manifests name, and refer to, one another as digests let them."""
    times = st.integers(0, 100).map(lambda day: float(day * DAY))
    manifests = []
    count = draw(st.integers(1, 12))
    for number in range(count):
        below = st.sampled_from([other for other in range(count) if other != number] or [number])
        several = st.lists(below, max_size=3)
        one = st.none() | below
        subject = draw(one)
        manifests.append(
            ManifestState(
                digest(number),
                draw(times),
                draw(times),
                "" if subject is None else digest(subject),
                tuple(digest(child) for child in draw(several)),
                draw(st.just(0.0) | times),
            )
        )
    own = st.sampled_from(["v1", "v2", "v3", "main", "dev-1", "dev-2"])
    attached = st.builds("{}{}".format, st.integers(0, count).map(_attached), st.sampled_from(["", ".sig", ".att"]))
    names = draw(st.lists(own | attached, unique=True, max_size=8))
    tags = tuple(
        TagState(Tag(name), digest(draw(st.integers(0, count - 1))), draw(times), draw(times)) for name in sorted(names)
    )
    bearers = st.sampled_from([*names, *(item.digest for item in manifests)])
    fixed = draw(st.dictionaries(bearers, st.just("it is locked"), max_size=2))
    return RepositoryContent(NAME, tags, {item.digest: item for item in manifests}, fixed)


def _attached(number: int) -> str:
    return digest(number).replace(":", "-")


conditions: st.SearchStrategy[dict[str, Any]] = st.one_of(
    st.just({}),
    st.fixed_dictionaries({"newest": st.integers(0, 4)}),
    st.fixed_dictionaries({"younger_days": st.integers(0, 100)}),
    st.fixed_dictionaries({"pulled_days": st.integers(0, 100)}),
    st.fixed_dictionaries({"marked": st.lists(st.sampled_from(MARKS), min_size=1)}),
)
scopes: st.SearchStrategy[dict[str, Any]] = st.one_of(
    st.fixed_dictionaries({"tags": st.lists(st.sampled_from(["*", "v*", "dev-*", "main"]), min_size=1)}),
    st.just({"untagged": True}),
)
entries = st.builds(lambda scope, condition: Keep.model_validate(scope | condition), scopes, conditions)
rules = st.builds(
    lambda keep, then: RetentionRule.model_validate({"keep": keep, "else": then}),
    st.lists(entries, min_size=1, max_size=3).map(tuple),
    st.sampled_from(["report", "delete"]),
)
moments = st.builds(
    Moment,
    st.just(NOW),
    st.integers(0, 100).map(lambda day: float(day * DAY)),
    st.dictionaries(st.integers(0, 11).map(digest), st.frozensets(st.sampled_from(MARKS))),
    st.sets(st.sampled_from(["v1", "main"])).map(lambda frozen: lambda tag: tag in frozen),
    st.sampled_from([math.inf, 90.0 * DAY]),
)


def oracle(here: RepositoryContent, rule: RetentionRule, moment: Moment) -> set[str]:
    """What is kept: the smallest set that all sentences of docs/retention.md hold for, found by trying them again."""
    kept: set[str] = set()
    while more := {name for name in _wanted(here, rule, moment, kept) if name not in kept}:
        kept |= more
    return kept


def _wanted(here: RepositoryContent, rule: RetentionRule, moment: Moment, kept: set[str]) -> Iterator[str]:
    for tag in here.tags:
        if _keeps_tag(tag, here, rule, moment, kept):
            yield tag.name
        if tag.name in kept:
            yield tag.digest
    for item in here.manifests.values():
        if item.digest in here.fixed or item.subject in kept or item.left > moment.history_since:
            yield item.digest
        if any(other.digest in kept and item.digest in other.children for other in here.manifests.values()):
            yield item.digest
        if _is_lone(item, here) and not any(keep.untagged for keep in rule.keep):
            yield item.digest
        if any(_meets(item, keep, here, moment) for keep in rule.keep):
            yield item.digest


def _keeps_tag(tag: TagState, here: RepositoryContent, rule: RetentionRule, moment: Moment, kept: set[str]) -> bool:
    subject = _subject(tag, here)
    is_fixed = tag.name in here.fixed or tag.digest in here.fixed or moment.immutable(tag.name)
    is_meant = any(_meets(tag, keep, here, moment) for keep in rule.keep)
    return is_fixed or is_meant or subject in kept or (not subject and all(keep.untagged for keep in rule.keep))


def _meets(item: TagState | ManifestState, keep: Keep, here: RepositoryContent, moment: Moment) -> bool:
    everything: list[TagState | ManifestState] = [*here.tags, *here.manifests.values()]
    peers = [other for other in everything if _is_meant(other, keep, here)]
    if item not in peers:
        return False
    if keep.newest is not None:
        order = [other for other in peers if _time(other, here) > _time(item, here)]
        equal = [other for other in peers if _time(other, here) == _time(item, here)]
        return len(order) + equal.index(item) < keep.newest
    if keep.younger_days is not None:
        return NOW - _time(item, here) <= keep.younger_days * DAY
    if keep.pulled_days is not None:
        return NOW - max(item.pulled, moment.pulls_since, _time(item, here)) <= keep.pulled_days * DAY
    known = moment.marks.get(item.digest)
    return not keep.marked or known is None or any(word in known for word in keep.marked)


def _is_meant(item: TagState | ManifestState, keep: Keep, here: RepositoryContent) -> bool:
    if isinstance(item, ManifestState):
        return keep.untagged and _is_lone(item, here)
    first = item.name.split("-")[0]
    patterns = {"*": True, "v*": item.name.startswith("v"), "dev-*": first == "dev", "main": item.name == "main"}
    return not keep.untagged and not _subject(item, here) and any(patterns[pattern] for pattern in keep.tags)


def _time(item: TagState | ManifestState, here: RepositoryContent) -> float:
    if isinstance(item, ManifestState):
        return max(item.pushed, item.left)
    return max(item.moved, here.manifests[item.digest].pushed)


def _subject(tag: TagState, here: RepositoryContent) -> str:
    name = tag.name.split(".")[0].replace("sha256-", "sha256:")
    return name if name in here.manifests else ""


def _is_lone(item: ManifestState, here: RepositoryContent) -> bool:
    named = any(item.digest in other.children for other in here.manifests.values())
    return not named and item.subject not in here.manifests and all(tag.digest != item.digest for tag in here.tags)


@given(repositories(), rules, moments)
def test_what_is_kept_is_what_the_sentences_say(here: RepositoryContent, rule: RetentionRule, moment: Moment) -> None:
    """No more and no less; and each thing is either kept or not."""
    judged, expected = judge(here, rule, moment), oracle(here, rule, moment)
    everything = {tag.name for tag in here.tags} | set(here.manifests)
    assert set(judged.kept) & everything == expected & everything
    assert unkept(judged) == everything - expected
    assert {item.action for item in judged.unkept} <= {rule.otherwise}


@given(repositories(), rules, moments)
def test_nothing_that_is_kept_lacks_anything(here: RepositoryContent, rule: RetentionRule, moment: Moment) -> None:
    """The manifest of a tag, parts of an index, what refers to a subject; and what is fixed stays."""
    gone = unkept(judge(here, rule, moment))
    left = [item for item in here.manifests.values() if item.digest not in gone]
    assert not [child for item in left for child in item.children if child in gone]
    assert not [item for item in here.manifests.values() if item.subject not in {"", *gone} and item.digest in gone
                and item.subject in here.manifests]  # fmt: skip
    assert not [tag for tag in here.tags if tag.name not in gone and tag.digest in gone]
    assert not gone & set(here.fixed)


def test_of_several_tags_of_an_image_one_is_enough() -> None:
    """The image stays, the tag goes (Azure/acr#342)."""
    here = content([image(1)], {"v1": (1, 0), "dev": (1, 0)})
    assert unkept(judge(here, rule({"tags": ["v*"]}), Moment(NOW))) == {"dev"}


def test_the_newest_are_those_that_were_moved_or_pushed_last() -> None:
    """A push of the same image counts."""
    here = content([image(1, 50), image(2, 0), image(3, 0)], {"a": (1, 1), "b": (2, 40), "c": (3, 30)})
    assert unkept(judge(here, rule({"newest": 2}), Moment(NOW))) == {"c", digest(3)}


def test_signatures_are_not_counted_among_the_newest() -> None:
    """They go with what they sign."""
    sig = f"sha256-{digest(1).split(':')[1]}.sig"
    here = content([image(1), image(2), image(3)], {"a": (1, 1), "b": (2, 2), sig: (3, 90)})
    assert unkept(judge(here, rule({"newest": 1}), Moment(NOW))) == {"a", sig, digest(1), digest(3)}


def test_what_was_not_pulled_since_recording_began_counts_as_pulled_then() -> None:
    """Nobody knows of before."""
    here = content([image(1, 10 * DAY)], {"a": (1, 10 * DAY)})
    pulled = rule({"pulled_days": 30})
    assert unkept(judge(here, pulled, Moment(NOW, pulls_since=NOW - 10 * DAY))) == set()
    assert unkept(judge(here, pulled, Moment(NOW, pulls_since=NOW - 31 * DAY))) == {"a", digest(1)}


def test_what_has_no_verdict_yet_is_kept() -> None:
    """It may turn out to be cleared."""
    here = content([image(1), image(2)], {"a": (1, 0), "b": (2, 0)})
    cleared = rule({"marked": ["cleared"]})
    assert unkept(judge(here, cleared, Moment(NOW, marks={digest(1): ["refused"]}))) == {"a", digest(1)}


@pytest.mark.parametrize("keep", [{"untagged": True, "younger_days": 7}, {"tags": ["v*"]}])
def test_a_rule_says_nothing_of_what_it_does_not_mention(keep: dict[str, Any]) -> None:
    """A rule of untagged manifests leaves tags alone, and the other way round."""
    here = content([image(1), image(2)], {"v1": (1, 0)})
    expected = {digest(2)} if "untagged" in keep else set()
    assert unkept(judge(here, rule(keep), Moment(NOW))) == expected


def test_a_locked_repository_is_left_alone() -> None:
    """Whatever the rules say."""
    here = content([image(1)], {"a": (1, 0)})
    here.fixed[""] = "it is locked"
    assert unkept(judge(here, rule({"newest": 0}), Moment(NOW))) == set()


def test_an_entry_has_one_condition() -> None:
    """Two could mean either or both."""
    with pytest.raises(ValueError, match="has newest and younger_days, needs one condition"):
        rule({"newest": 3, "younger_days": 7})

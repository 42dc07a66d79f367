"""Candidates: the next images in the order of digests that meet what rows and profiles can tell. For a thread."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from policy.assessment.inspector import CURRENT
from policy.assessment.manifest_verdicts import children_of
from policy.definition.policy import Policy
from policy.enforcement.assignments import Assignments
from policy.results import manifests as inspected_manifests
from policy.results import profiles, verdicts
from policy.results.manifests import Kind
from policy.results.store import ResultStore
from policy.search.profile_facts import Facts, ProfileFacts
from policy.search.question import Question
from policy.state import State
from registry.metadata import image_search
from registry.metadata.image_search import BEYOND, Candidate, Place, Wanted

CHUNK = 200
"""Images that are looked at before it is seen whether a page is full."""
_FEW = 2000
_SHARED = ("os.name", "os.version", "conda", "python", "platform", "problems")


_Decided = dict[tuple[int | None, str], "tuple[State, Facts] | None"]
"""By profile and digest of a policy: state and facts, where they meet the conditions."""


@dataclass(frozen=True, slots=True)
class Match:
    """An image that meets the conditions, with what is known of it; `pending` without facts."""

    candidate: Candidate
    policy: Policy
    state: State
    facts: Facts


@dataclass(frozen=True, slots=True)
class Chunk:
    """Some matches in order, how many images were looked at for them, and where to go on; `None` at the end."""

    matches: tuple[Match, ...]
    looked_at: int
    place: Place | None


class Candidates:
    """Looks through rows and results, some images at a time.

    Args:
        results: inspected manifests and states.
    """

    def __init__(self, results: ResultStore) -> None:
        self._results = results
        self._profiles = ProfileFacts(results)

    def chunk(
        self, connection: Connection, question: Question, wanted: Wanted, after: Place, bound: Assignments
    ) -> Chunk:
        """The next ones behind a place. A query of the rows, which reads policy.db beside."""
        layer = wanted.base[-1] if wanted.base else question.layer
        if layer and image_search.has_few_users(connection, layer, _FEW):
            found = image_search.users_of(connection, wanted, layer, after, CHUNK)
            return self._judged(connection, question, wanted, bound, found, {}, _end(found))
        if question.may_be_pending or any(each.operator == "=" for each in question.of("repository")):
            found = image_search.walk(connection, wanted, after, CHUNK)
            return self._judged(connection, question, wanted, bound, found, {}, _end(found))
        return self._by_profile(connection, question, wanted, after, bound)

    def _by_profile(
        self, connection: Connection, question: Question, wanted: Wanted, after: Place, bound: Assignments
    ) -> Chunk:
        ids = self._profiles.matching(question.content)
        verdict = question.of("verdict")
        if verdict:
            ids = self._profiles.in_state(ids, bound.policies, verdict)
        known = self._results.read(profiles.manifests_with, ids, after.digest, CHUNK, _FEW)
        found = image_search.among(connection, wanted, list(known), after, CHUNK * 2)
        if len(found) == CHUNK * 2:  # one digest may stand in many repositories
            return self._judged(connection, question, wanted, bound, found, known, found[-1].place)
        place = Place(list(known)[-1], BEYOND) if len(known) == CHUNK else None
        chunk = self._judged(connection, question, wanted, bound, found, known, place)
        return Chunk(chunk.matches, len(known), place)

    def _judged(  # noqa: PLR0913, PLR0917
        self,
        connection: Connection,
        question: Question,
        wanted: Wanted,
        bound: Assignments,
        found: Sequence[Candidate],
        known: Mapping[str, int],
        place: Place | None,
    ) -> Chunk:
        """Those that meet the conditions on content, verdict, policy and rows."""
        known = known or self._results.read(profiles.of, {each.digest for each in found})
        decided: _Decided = {}
        matches = [
            match
            for each in found
            if question.sees(each.repository)
            and (match := self._match(question, each, bound, known.get(each.digest), decided)) is not None
        ]
        if matches and image_search.needs_rows(wanted):
            ids = image_search.selected(connection, wanted, [each.candidate.id for each in matches])
            matches = [each for each in matches if each.candidate.id in ids]
        return Chunk(tuple(matches), len(found), place)

    def _match(
        self, question: Question, candidate: Candidate, bound: Assignments, profile: int | None, decided: "_Decided"
    ) -> Match | None:
        """The match, if it is one; what was decided of a profile holds for all images that have it."""
        policy = bound.of(candidate.repository).policy
        key = (profile, policy.digest)
        if key in decided:
            known = decided[key]
        else:
            known = self._known(question, candidate.digest, profile, policy)
            if profile is None or self._profiles.kind(profile) is not Kind.INDEX:
                decided[key] = known
        return None if known is None else Match(candidate, policy, *known)

    def _known(
        self, question: Question, digest: str, profile: int | None, policy: Policy
    ) -> tuple[State, Facts] | None:
        """State and facts, where conditions on these and on the policy hold."""
        if not all(each.holds((policy.name,)) for each in question.of("policy")):
            return None
        if profile is None:
            return (State.PENDING, {"kind": ("image",)}) if question.may_be_pending else None
        facts = self._facts(digest, profile)
        state = self._state(digest, profile, policy)
        if not all(each.holds(facts.get(each.fact, ())) for each in question.content):
            return None
        return (state, facts) if all(each.holds((state.value,)) for each in question.of("verdict")) else None

    def _state(self, digest: str, profile: int, policy: Policy) -> State:
        state = self._profiles.state(profile, policy)
        if state is None:
            state = self._results.read(verdicts.find, policy.digest, digest)
        return State.PENDING if state is None else state

    def _facts(self, digest: str, profile: int) -> Facts:
        """Of an index, those of its images together."""
        own = self._profiles.facts(profile)
        if self._profiles.kind(profile) is not Kind.INDEX:
            return own
        index = self._results.read(inspected_manifests.find, digest, CURRENT)
        entries = () if index is None else children_of(index)
        children = [each for each in entries if each.platform != "unknown/unknown"]
        known = self._results.read(profiles.of, {each.digest for each in children})
        all_facts = [self._profiles.facts(known[each.digest]) for each in children if each.digest in known]
        joined = {name: tuple(dict.fromkeys(v for facts in all_facts for v in facts.get(name, ()))) for name in _SHARED}
        joined["platform"] = joined["platform"] or tuple(dict.fromkeys(e.platform for e in children if e.platform))
        return {**own, **{name: values for name, values in joined.items() if values}}


def _end(found: Sequence[Candidate]) -> Place | None:
    return found[-1].place if len(found) == CHUNK else None

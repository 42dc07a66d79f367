"""What profiles say: their facts by name, the state that a policy gives them, and which of them meet conditions."""

import json
import threading
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from policy.assessment.manifest_verdicts import state_of_essence
from policy.definition.policy import Policy
from policy.results import profiles
from policy.results.manifests import Kind
from policy.results.profiles import Profile
from policy.results.store import ResultStore
from policy.search.conditions import Condition
from policy.state import State
from registry.caches import SizedCache

Facts = Mapping[str, tuple[str, ...]]
"""The values of each fact; a fact without values is not there."""
_QUESTIONS = 256
_MATCHES = 500_000
"""Ids of profiles in all remembered answers together."""
_HELD_BYTES = 8 << 20
"""Of essences; some 20,000 profiles of images."""
_STATES = 50_000
_PAGE = 1000
_PYTHONS = ("python", "base_python")


@dataclass(frozen=True, slots=True)
class _Known:
    """A profile, and its facts by name."""

    profile: Profile
    facts: Facts


class ProfileFacts:
    """Reads profiles of policy.db, and remembers which of them met conditions. For several threads.

    Memory is bounded: what is no longer held is read again.

    Args:
        results: where profiles are.
        held_bytes: of the essences of profiles that are held at most.
    """

    def __init__(self, results: ResultStore, held_bytes: int = _HELD_BYTES) -> None:
        self._results = results
        self._lock = threading.Lock()
        self._profiles: SizedCache[int, _Known] = SizedCache(held_bytes)
        self._newest: Profile | None = None
        self._states: SizedCache[tuple[str, int], State] = SizedCache(_STATES)
        self._matching: SizedCache[tuple[Condition, ...], tuple[int, set[int]]] = SizedCache(_MATCHES)

    @property
    def held(self) -> int:
        """How many profiles are held."""
        return len(self._profiles)

    def facts(self, profile: int) -> Facts:
        """The facts of a profile; of an index those that it has itself."""
        with self._lock:
            known = self._known(profile)
            return {} if known is None else known.facts

    def kind(self, profile: int) -> Kind:
        """Image, index or artifact."""
        with self._lock:
            known = self._known(profile)
            return Kind.IMAGE if known is None else Kind(known.profile.kind)

    def state(self, profile: int, policy: Policy) -> State | None:
        """What a policy says of every image or artifact of a profile; `None` for an index."""
        with self._lock:
            return self._state(profile, policy)

    def matching(self, conditions: Sequence[Condition]) -> set[int]:
        """The profiles that meet all conditions on content, and all indexes: these have the facts of their images."""
        key = tuple(conditions)
        with self._lock:
            self._require_same_file()
            upto, found = self._matching.get(key) or (0, set())
            while page := self._results.read(profiles.since, upto + 1, _PAGE):
                found = found | {each.id for each in page if _meets(self._hold(each), key)}
                self._newest, upto = page[-1], page[-1].id
            self._matching.put(key, (upto, found), _MATCHES // _QUESTIONS + len(found))
            return found

    def in_state(self, among: Iterable[int], policies: Sequence[Policy], wanted: Sequence[Condition]) -> set[int]:
        """Those of the profiles to which one of the policies gives a state that meets all conditions; all indexes."""
        with self._lock:
            return {
                profile
                for profile in among
                if any(_is_wanted(self._state(profile, policy), wanted) for policy in policies)
            }

    def _require_same_file(self) -> None:
        """Forget everything when policy.db was begun anew: the same ids mean something else then."""
        newest = self._newest
        if newest is not None and self._results.read(profiles.since, newest.id, 1) != [newest]:
            self._newest = None
            for known in (self._profiles, self._states, self._matching):
                known.clear()

    def _state(self, profile: int, policy: Policy) -> State | None:
        found = self._states.get((policy.digest, profile))
        if found is None:
            known = self._known(profile)
            if known is None or known.profile.kind == Kind.INDEX:
                return None
            found = state_of_essence(Kind(known.profile.kind), known.profile.essence, policy)
            self._states.put((policy.digest, profile), found)
        return found

    def _known(self, profile: int) -> _Known | None:
        found = self._profiles.get(profile)
        if found is None:
            page = self._results.read(profiles.since, profile, 1)
            found = self._hold(page[0]) if page and page[0].id == profile else None
        return found

    def _hold(self, profile: Profile) -> _Known:
        known = self._profiles.get(profile.id)
        if known is None:
            known = _Known(profile, facts_of(profile))
            self._profiles.put(profile.id, known, len(profile.essence) + 1)
        return known


def _meets(known: _Known, conditions: tuple[Condition, ...]) -> bool:
    if known.profile.kind == Kind.INDEX:
        return all(each.holds((Kind.INDEX,)) for each in conditions if each.fact == "kind")
    return all(each.holds(known.facts.get(each.fact, ())) for each in conditions)


def facts_of(profile: Profile) -> Facts:
    """The facts of a profile by name."""
    found: dict[str, tuple[str, ...]] = {"kind": (profile.kind,)}
    if profile.platform:
        found["platform"] = (profile.platform,)
    if profile.kind != Kind.IMAGE or not profile.essence:
        return found
    essence = json.loads(profile.essence)
    judged = essence["judged"]
    pythons = [fact for subject in _PYTHONS for fact in judged.get(subject, ())]
    values = {
        "os.name": _values(judged.get("os", ()), "id"),
        "os.version": _values(judged.get("os", ()), "version"),
        "conda": _values(judged.get("conda", ()), "version"),
        "python": _values(pythons, "version"),
        "problems": ("yes" if essence["problems"] else "no",),
    }
    return found | {name: known for name, known in values.items() if known}


def _values(facts: Iterable[Mapping[str, str]], member: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(value for fact in facts if (value := fact.get(member))))


def _is_wanted(state: State | None, wanted: Sequence[Condition]) -> bool:
    return state is None or all(each.holds((state.value,)) for each in wanted)

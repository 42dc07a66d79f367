"""What profiles say: their facts by name, the state that a policy gives them, and which of them meet conditions."""

import json
import threading
from collections.abc import Iterable, Mapping, Sequence

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
_PYTHONS = ("python", "base_python")


class ProfileFacts:
    """Reads each profile of policy.db once, and remembers which of them met conditions. For several threads.

    Args:
        results: where profiles are.
    """

    def __init__(self, results: ResultStore) -> None:
        self._results = results
        self._lock = threading.Lock()
        self._profiles: dict[int, Profile] = {}
        self._facts: dict[int, Facts] = {}
        self._newest = 0
        self._states: dict[tuple[str, int], State] = {}
        self._matching: SizedCache[tuple[Condition, ...], tuple[int, set[int]]] = SizedCache(_QUESTIONS)

    def facts(self, profile: int) -> Facts:
        """The facts of a profile; of an index those that it has itself."""
        with self._lock:
            self._read(profile)
            return self._facts.get(profile, {})

    def kind(self, profile: int) -> Kind:
        """Image, index or artifact."""
        with self._lock:
            self._read(profile)
            found = self._profiles.get(profile)
            return Kind.IMAGE if found is None else Kind(found.kind)

    def state(self, profile: int, policy: Policy) -> State | None:
        """What a policy says of every image or artifact of a profile; `None` for an index."""
        with self._lock:
            self._read(profile)
            return self._state(profile, policy)

    def matching(self, conditions: Sequence[Condition]) -> set[int]:
        """The profiles that meet all conditions on content, and all indexes: these have the facts of their images."""
        key = tuple(conditions)
        with self._lock:
            self._read_newer()
            upto, found = self._matching.get(key) or (0, set())
            newer = [profile for profile in self._profiles if profile > upto]
            found = found | {profile for profile in newer if self._meets(profile, key)}
            self._matching.put(key, (self._newest, found))
            return found

    def in_state(self, among: Iterable[int], policies: Sequence[Policy], wanted: Sequence[Condition]) -> set[int]:
        """Those of the profiles to which one of the policies gives a state that meets all conditions; all indexes."""
        with self._lock:
            return {
                profile
                for profile in among
                if any(_is_wanted(self._state(profile, policy), wanted) for policy in policies)
            }

    def _forget(self) -> None:
        self._newest = 0
        for known in (self._profiles, self._facts, self._states, self._matching):
            known.clear()

    def _meets(self, profile: int, conditions: tuple[Condition, ...]) -> bool:
        kinds = [each for each in conditions if each.fact == "kind"]
        if self._profiles[profile].kind == Kind.INDEX:
            return all(each.holds((Kind.INDEX,)) for each in kinds)
        facts = self._facts[profile]
        return all(each.holds(facts.get(each.fact, ())) for each in conditions)

    def _state(self, profile: int, policy: Policy) -> State | None:
        known = self._states.get((policy.digest, profile))
        if known is None:
            found = self._profiles.get(profile)
            if found is None or found.kind == Kind.INDEX:
                return None
            known = state_of_essence(Kind(found.kind), found.essence, policy)
            self._states[policy.digest, profile] = known
        return known

    def _read(self, profile: int) -> None:
        if profile not in self._profiles:
            self._read_newer()

    def _read_newer(self) -> None:
        newer = self._results.read(profiles.since, self._newest)
        if self._newest and newer[:1] != [self._profiles[self._newest]]:  # policy.db was begun anew
            self._forget()
            newer = self._results.read(profiles.since, 0)
        for each in newer:
            self._profiles[each.id] = each
            self._facts[each.id] = facts_of(each)
            self._newest = each.id


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

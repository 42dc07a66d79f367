"""Assignments: the policy and mode of each repository, from the settings and the operator file."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import structlog

from policy.assessment.settings import JudgingSettings
from policy.decision import Mode
from policy.definition.policy import Policy, PolicyRefused, known_policies, named_policy, parse_policy
from policy.enforcement.operator_file import OperatorFile
from policy.enforcement.operator_store import OperatorStore
from registry.oci.patterns import EVERY, longest

_REMEMBERED = 10_000


@dataclass(frozen=True, slots=True)
class Bound:
    """The policy and mode of one repository."""

    policy: Policy
    mode: Mode


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a policy is assigned to a pattern.

    Attributes:
        setting: the key of the setting that assigns it, unless a command does.
        settled: the policy that the setting names, "" when it does not name the pattern.
        since: when a command activated one, in seconds since the epoch; `None` when the setting applies.
    """

    setting: str
    settled: str
    since: float | None


class Assignments:
    """Patterns with their policies and modes. The longest matching pattern applies, `*` if no other does."""

    def __init__(self, settings: JudgingSettings, policies: Mapping[str, Policy], orders: OperatorFile) -> None:
        """Resolve all names.

        Raises:
            PolicyRefused: settings or orders name a policy that is not known or cannot be used.
        """
        named = {"*": named_policy(policies, settings.name)}
        named |= {item.repositories: named_policy(policies, item.policy) for item in settings.bindings if item.policy}
        self._settled = dict(named)
        for order in orders.activations:
            named[order.repositories] = parse_policy(order.content, f"{order.name} (activated by command)")
        self._since = {order.repositories: order.since for order in orders.activations}
        self._policies = named
        self._modes = {"*": settings.mode}
        self._modes |= {item.repositories: item.mode for item in settings.bindings if item.mode is not None}
        self._bound: dict[str, Bound] = {}
        # Mostly one policy and mode hold everywhere: a search would ask and remember them for each name that it meets.
        is_one = self._policies.keys() | self._modes.keys() == {EVERY}
        self._everywhere = Bound(named[EVERY], self._modes[EVERY]) if is_one else None

    @property
    def policies(self) -> tuple[Policy, ...]:
        """The policies in force, each once."""
        return tuple({item.digest: item for item in self._policies.values()}.values())

    @property
    def by_pattern(self) -> Mapping[str, Policy]:
        """Pattern -> policy."""
        return self._policies

    @property
    def patterns(self) -> tuple[str, ...]:
        """The patterns that have a policy or a mode of their own, `*` first."""
        known = self._policies.keys() | self._modes.keys()
        return tuple(sorted(known, key=lambda pattern: (pattern != EVERY, pattern)))

    @property
    def digests(self) -> Mapping[str, str]:
        """Pattern -> digest of its policy."""
        return {pattern: policy.digest for pattern, policy in self._policies.items()}

    def why(self, pattern: str) -> Reason:
        """Why a pattern has its policy."""
        setting = "policy.name" if pattern == "*" else "policy.bindings"
        settled = self._settled.get(pattern)
        return Reason(setting, "" if settled is None else settled.name, self._since.get(pattern))

    def mode_of(self, pattern: str) -> Mode:
        """The mode of a pattern, or the default mode."""
        return self._modes.get(pattern, self._modes["*"])

    def of(self, repository: str) -> Bound:
        """The policy and mode of a repository."""
        bound = self._everywhere or self._bound.get(repository)
        if bound is None:
            if len(self._bound) >= _REMEMBERED:
                self._bound.clear()
            policy = self._policies[_longest(self._policies, repository)]
            bound = self._bound[repository] = Bound(policy, self._modes[_longest(self._modes, repository)])
        return bound


class AssignmentsInForce:
    """The assignments by settings and operator file; follows changes of the file."""

    def __init__(self, settings: JudgingSettings, orders: OperatorStore) -> None:
        """Resolve all names.

        Raises:
            PolicyRefused: settings or orders name a policy that is not known or cannot be used.
        """
        self._settings = settings
        self._orders = orders
        self._policies = known_policies(settings.folder)
        self._followed = orders.current()
        self._bindings = Assignments(settings, self._policies, self._followed)

    def current(self) -> Assignments:
        """The current assignments; an operator file that cannot be used is logged and changes nothing."""
        orders = self._orders.current()
        if orders is not self._followed:
            self._followed = orders
            try:
                before, self._bindings = self._bindings, Assignments(self._settings, self._policies, orders)
                if self._bindings.digests != before.digests:
                    log_policies(self._bindings)
            except PolicyRefused as error:
                structlog.get_logger(__name__).warning(
                    "the operator file cannot be followed, nothing changes", reason=str(error)
                )
        return self._bindings


def log_policies(bindings: Assignments) -> None:
    """Log the policies in force: one activated by command may differ from the settings."""
    names = {pattern: policy.name for pattern, policy in bindings.by_pattern.items()}
    structlog.get_logger(__name__).warning("the policies in force", policies=names)


def _longest(patterns: Iterable[str], repository: str) -> str:
    return longest(patterns, repository) or EVERY

"""Activating and deactivating a policy: everything is judged first, then the orders change."""

from policy.assessment.bulk_judging import Rejudged, judge_all
from policy.assessment.settings import JudgingSettings
from policy.definition.policy import Policy, known_policies
from policy.enforcement.assignments import Assignments
from policy.enforcement.operator_file import Activation
from policy.enforcement.operator_store import OperatorStore
from policy.results.store import ResultStore
from registry.content.progress import Tell, silence


def activate(  # noqa: PLR0913, PLR0917
    orders: OperatorStore, results: ResultStore, policy: Policy, repositories: str, now: float, tell: Tell = silence
) -> Rejudged:
    """Put a policy into force for the repositories of a pattern; safe beside a running server.

    The old verdicts are valid until the new ones are complete. States are stored by policy digest: judging by the new
    policy changes nothing, and the new states take effect when the orders change.

    Args:
        orders: what changes in the end.
        results: what is judged.
        policy: stored whole in the orders; its own file is no longer needed.
        repositories: pattern; `*` is the default of all repositories.
        now: seconds since the epoch.
        tell: told how far the judging has come.
    """
    judged = judge_all(results, policy, tell)
    activation = Activation(repositories, policy.name, policy.digest, dict(policy.content), now)
    orders.change(lambda before: before.with_activation(activation))
    return judged


def deactivate(
    orders: OperatorStore, results: ResultStore, settings: JudgingSettings, repositories: str
) -> Assignments:
    """Undo `activate` for a pattern: the settings apply again. Returns the assignments then in force.

    Args:
        orders: what changes in the end.
        results: what is judged.
        settings: the server's judging settings.
        repositories: the pattern that a policy was activated for.

    Raises:
        OperatorFileRefused: no policy was activated for it.
        PolicyRefused: the settings name a policy that is not known or cannot be used.
    """
    policies = known_policies(settings.folder)
    wanted = Assignments(settings, policies, orders.current().without_activation(repositories))
    for policy in wanted.policies:
        judge_all(results, policy)
    return Assignments(settings, policies, orders.change(lambda before: before.without_activation(repositories)))

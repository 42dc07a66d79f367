"""Putting a policy into force: everything is judged first, then one file changes, and every door follows at once."""

from pathlib import Path

from policy.ledger.ledger import Ledger
from policy.policies import Policy
from policy.rejudging import Rejudged, judge_all
from policy.standing import FILE, Activation, change_orders


def activate(data: Path, ledger: Ledger, policy: Policy, repositories: str, now: float) -> Rejudged:
    """Put a policy into force for the repositories of a pattern; safe beside a running server.

    The old verdicts stand until the new ones are complete: states are kept by policy digest, so that judging under
    the new policy changes nothing, and the doors turn to the new states when the standing orders do.

    Args:
        data: the data folder.
        ledger: the ledger in it.
        policy: kept whole in the orders, so that its file may go.
        repositories: pattern; `*` is the default of all repositories.
        now: seconds since the epoch.
    """
    judged = judge_all(ledger, policy)
    activation = Activation(repositories, policy.name, policy.digest, dict(policy.content), now)
    change_orders(data / FILE, lambda orders: orders.with_activation(activation))
    return judged

"""The gate over a data folder, for acts that ask it."""

from policy.enforcement.gate import PolicyGate
from policy.enforcement.operator_file import FILE as ORDERS
from policy.enforcement.operator_file import OperatorFileInForce
from policy.results.sqlite_store import FILE as RESULTS
from policy.results.sqlite_store import SqliteResults
from policy.settings import judging_section
from registry.administration.act import Holdings


def gate_of(holdings: Holdings) -> PolicyGate:
    """The gate, one for all acts until the folder is closed."""
    return holdings.once(_open, PolicyGate.close)


def _open(holdings: Holdings) -> PolicyGate:
    settings = holdings.settings.current
    results, orders = SqliteResults(settings.data / RESULTS), OperatorFileInForce(settings.data / ORDERS)
    return PolicyGate(holdings.storage, holdings.metadata, results, orders, judging_section(settings))

"""The gate over a data folder, for acts that ask it."""

from policy.enforcement.gate import PolicyGate
from policy.settings import judging_section
from registry.administration.act import Holdings


def gate_of(holdings: Holdings) -> PolicyGate:
    """The gate, one for all acts until the folder is closed."""
    return holdings.once(_open, PolicyGate.close)


def _open(holdings: Holdings) -> PolicyGate:
    settings = holdings.settings.current
    return PolicyGate.open(holdings.storage, holdings.metadata, settings, judging_section(settings))

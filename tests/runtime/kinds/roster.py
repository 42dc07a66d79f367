"""Every table of cases, in one list."""

from tests.runtime.kinds import (
    attributes,
    disguises,
    fallbacks,
    forms,
    identities,
    links,
    members,
    modes,
    names,
    outside,
    paths,
    whiteouts,
)
from tests.runtime.kinds.case import Case

TABLES: dict[str, tuple[Case, ...]] = {
    "attributes": attributes.CASES,
    "disguises": disguises.CASES,
    "fallbacks": fallbacks.CASES,
    "forms": forms.CASES,
    "identities": identities.CASES,
    "links": links.CASES,
    "members": members.CASES,
    "modes": modes.CASES,
    "names": names.CASES,
    "outside": outside.CASES,
    "paths": paths.CASES,
    "whiteouts": whiteouts.CASES,
}
EVERY = 3


def cases(*, whole: bool) -> list[tuple[str, Case]]:
    """Table and case: all of them, or those whose state is known beforehand and every third of the others.

    Args:
        whole: all of them.
    """
    found = []
    for name, table in TABLES.items():
        unique = list({case.name: case for case in table}.values())
        found += [(name, case) for at, case in enumerate(unique) if whole or case.states or at % EVERY == 0]
    return found

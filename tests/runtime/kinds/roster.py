"""Every table of cases, in one list."""

from tests.runtime.kinds import (
    archives,
    artifacts,
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
    prefixes,
    releases,
    scripts,
    whiteouts,
)
from tests.runtime.kinds.case import Case

TABLES: dict[str, tuple[Case, ...]] = {
    "archives": archives.CASES,
    "artifacts": artifacts.CASES,
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
    "prefixes": prefixes.CASES,
    "releases": releases.CASES,
    "scripts": scripts.CASES,
    "whiteouts": whiteouts.CASES,
}
EVERY = 3
"""Of the cases whose state is not known beforehand, one in so many is taken; of `PARTS` one in so many of all."""
PARTS = {"archives": 5, "artifacts": 5, "disguises": 4, "prefixes": 4, "releases": 4, "scripts": 3}


def cases(*, whole: bool) -> list[tuple[str, Case]]:
    """Table and case: all of them, or a part.

    Args:
        whole: all of them.
    """
    found = []
    for name, table in TABLES.items():
        unique = list({case.name: case for case in table}.values())
        found += [(name, case) for at, case in enumerate(unique) if whole or _is_taken(name, case, at)]
    return found


def _is_taken(table: str, case: Case, at: int) -> bool:
    if table in PARTS:
        return at % PARTS[table] == 0
    return bool(case.states) or at % EVERY == 0

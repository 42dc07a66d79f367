"""Acts of retention: what the rules of the settings keep, and removing what they do not."""

from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from registry.administration.act import BASE, Act, Holdings
from registry.content.retention import Plan, Retention, Told, plan_as_json
from registry.content.retention_plan import Judged
from registry.oci.errors import NameUnknown
from registry.oci.names import RepositoryName
from registry.oci.timestamp import exact_timestamp

RETENTION = f"{BASE}/retention"
Opened = Callable[[Holdings], Retention]
"""Retention over a data folder, with what marks manifests there."""


def plan_retention(opened: Opened) -> Act:
    """What no rule keeps, and what a run would remove of it: `registry.content.retention.plan_as_json`."""

    async def here(holdings: Holdings) -> dict[str, Any]:
        return plan_as_json(await opened(holdings).plan())

    return Act("POST", f"{RETENTION}/plan", here, body={}, is_run=True)


def run_retention(opened: Opened, plan: Plan | None, told: Told) -> Act:
    """Remove what a plan says, or what one that is made now says: `registry.content.retention.RetentionReport`.

    `told` is told of each thing in a data folder; a server has its own audit log.
    """

    async def here(holdings: Holdings) -> dict[str, Any]:
        retention = opened(holdings)
        wanted = plan or await retention.plan()
        return asdict(await retention.run(wanted, told, whole=plan is not None))

    body = {} if plan is None else {"made": exact_timestamp(plan.made), "digest": plan.digest}
    return Act("POST", f"{RETENTION}/run", here, body=body, is_run=True)


def explain_retention(opened: Opened, name: RepositoryName) -> Act:
    """Why each tag and manifest of a repository is kept, or is not: `{"kept": {NAME: REASON}, "unkept": [ITEM]}`.

    NameUnknown (404): there is no such repository, or no rule matches it.
    """

    async def here(holdings: Holdings) -> dict[str, Any]:
        return explained_document(name, await opened(holdings).explain(name))

    return Act("GET", f"{RETENTION}/explanations/{name}", here)


def explained_document(name: RepositoryName, judged: Judged | None) -> dict[str, Any]:
    """Why things are kept. Raises NameUnknown when no rule matches the repository."""
    if judged is None:
        raise NameUnknown(f"no rule of retention matches {name}: it is left alone", {"name": name})
    return {"kept": dict(sorted(judged.kept.items())), "unkept": [asdict(item) for item in judged.unkept]}

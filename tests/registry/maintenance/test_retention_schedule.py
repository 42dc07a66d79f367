"""Retention by a running server: when it is due, what it leaves behind, and what it says of itself."""

import asyncio
import json
import sqlite3
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from registry.content.retention import Marks
from registry.content.retention_state import RetentionState, read_state, save_state
from registry.maintenance.retention_schedule import RetentionSchedule
from registry.oci.digest import Digest
from registry.oci.names import RepositoryName, Tag
from tests.registry.open_services import OTHER, REPOSITORY, open_services
from tests.repository import Repository
from tests.servers import LiveRegistry, open_registry

RULE: dict[str, Any] = {"rule": {"keep": [{"tags": ["v*"]}], "else": "delete"}}
BY_PULLS: dict[str, Any] = {"rule": {"keep": [{"pulled_days": 30}], "else": "delete"}}
NOT_RECORDED = BY_PULLS | {"pulls": {"interval_seconds": 0}}


@pytest.fixture(name="served")
def _served(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[LiveRegistry]:
    """A registry with the rule, and the images `dev` and `v1`; its own rounds are too late to be seen."""
    save_state(tmp_path, RetentionState(ended=time.time()))
    given = getattr(request, "param", RULE)
    group = {"interval_seconds": 3600, "rules": [given["rule"]]}
    with open_registry(tmp_path, retention=group, pulls=given.get("pulls", {})) as live, live.client() as client:
        for tag in ("dev", "v1"):
            repository = Repository(client, "team/app")
            repository.image(tag, repository.blob(tag.encode()))
        yield live


def round_of(live: LiveRegistry, seconds: float = 3601.0) -> None:
    """Have the server look, so much later."""
    asyncio.run(live.app.retention.round(time.time() + seconds))


def tags(live: LiveRegistry) -> list[str]:
    """What the repository has."""
    with live.client() as client:
        found: list[str] = Repository(client, "team/app").get("tags/list").json()["tags"]
        return found


def metrics(live: LiveRegistry) -> dict[str, float]:
    """Those of retention."""
    with live.client() as client:
        lines = client.get("/metrics").text.splitlines()
    pairs = [line.rsplit(" ", 1) for line in lines if line.startswith("basegate_retention")]
    return {name: float(value) for name, value in pairs}


def audited(live: LiveRegistry) -> list[dict[str, Any]]:
    """The lines of what the rules have removed."""
    text = (live.data / "audit" / "audit.log").read_text()
    return [line for line in map(json.loads, text.splitlines()) if line["action"] == "retention.delete"]


def test_rules_are_applied_when_they_are_due(served: LiveRegistry) -> None:
    """And not before."""
    round_of(served, 0.0)
    assert tags(served) == ["dev", "v1"]
    round_of(served)
    assert tags(served) == ["v1"]
    assert read_state(served.data).removed == 2


def test_each_thing_is_a_line_of_the_audit_log(served: LiveRegistry) -> None:
    """With the run, which the trash knows."""
    round_of(served)
    lines = audited(served)
    assert [(line["name"], line["repository"], line["result"]) for line in lines] == [
        ("retention", "team/app", "done")
    ] * 2
    assert lines[0]["reference"] == "dev"
    assert Digest.parse(lines[1]["reference"]) == lines[0]["digest"]
    assert {line["detail"].startswith("run=retention-") for line in lines} == {True}


def test_a_round_that_fails_has_lines_of_what_it_has_removed(served: LiveRegistry) -> None:
    """Repository by repository: here the second cannot be changed."""
    with served.client() as client:
        Repository(client, "team/b").image("dev")
    with sqlite3.connect(served.data / "registry.db") as rows:
        rows.execute(
            "CREATE TRIGGER full BEFORE INSERT ON trash WHEN NEW.repository = 'team/b' "
            "BEGIN SELECT RAISE(ABORT, 'no room'); END"
        )
    with pytest.raises(Exception, match="no room"):
        round_of(served)
    assert [line["repository"] for line in audited(served)] == ["team/app"] * 2


def test_a_change_between_plan_and_run_stops_only_its_repository(tmp_path: Path) -> None:
    """Somewhere in a registry something always changes."""
    with open_services(tmp_path) as services:

        async def of(name: RepositoryName, digests: Sequence[Digest]) -> dict[Digest, list[str]]:
            if name == OTHER:  # the plan has been in the first repository by now
                await services.push_image(Tag("another"))
            return {digest: ["refused"] for digest in digests}

        for name in (REPOSITORY, OTHER):
            services.run(services.push_image(Tag("dev"), repository=name))
        rule = {"keep": [{"marked": ["cleared"]}], "else": "delete"}
        services.configure(retention={"interval_seconds": 3600, "rules": [rule]})
        marks, stores = Marks(frozenset({"cleared"}), of), (services.metadata, services.settings)
        services.run(RetentionSchedule(*stores, marks, lambda _line: None).round(time.time()))
        left = [services.run(services.tag_names(name)) for name in (REPOSITORY, OTHER)]
    assert left == [("another", "dev"), ()]


def test_the_metrics_tell_of_the_last_run(served: LiveRegistry) -> None:
    """How much was removed, and when."""
    round_of(served)
    told = metrics(served)
    assert (told["basegate_retention_removed_total"], told["basegate_retention_unkept"]) == (2, 2)
    assert (told["basegate_retention_refused"], told["basegate_retention_ended_timestamp_seconds"] > 0) == (0, True)


@pytest.mark.parametrize("served", [NOT_RECORDED], indirect=True)
def test_rules_that_cannot_be_applied_are_told(served: LiveRegistry) -> None:
    """Nothing is removed; the log and the metrics say so."""
    with capture_logs() as said:
        round_of(served)
    assert tags(served) == ["dev", "v1"]
    assert metrics(served)["basegate_retention_refused"] == 1
    (event,) = [line for line in said if line["event"] == "the rules of retention were not applied"]
    assert "pulls are not recorded" in event["reason"]


@pytest.mark.parametrize("served", [BY_PULLS], indirect=True)
def test_since_when_pulls_are_recorded_is_remembered(served: LiveRegistry) -> None:
    """What was not pulled since counts as pulled then."""
    since = read_state(served.data).pulls_since
    assert since > 0
    round_of(served)
    assert (tags(served), read_state(served.data).pulls_since) == (["dev", "v1"], since)
    round_of(served, 31 * 86_400)
    assert tags(served) == []

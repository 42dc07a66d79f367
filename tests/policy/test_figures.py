"""What /metrics says of verdicts, refusals and what is held, read as Prometheus reads it."""

import asyncio
import re
from contextlib import closing
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.parser import text_string_to_metric_families

from policy.assessment.verdict_log import VerdictLog
from policy.enforcement.exemptions import Exemption
from policy.enforcement.metrics import SOON_SECONDS, EnforcementMetrics
from policy.enforcement.refusals import Refusals
from registry.metadata import events, sinks
from registry.metadata.events import Event, Kind
from registry.metadata.open_store import open_metadata
from registry.telemetry.store_metrics import count
from tests.architecture.source import ROOT
from tests.policy.scraped import judged, scraped


@pytest.fixture(scope="module", name="found")
def _found(tmp_path_factory: pytest.TempPathFactory) -> dict[tuple[str, ...], float]:
    with judged(tmp_path_factory.mktemp("figures")) as live:
        return series(scraped(live))


def series(text: str) -> dict[tuple[str, ...], float]:
    """Name and values of labels -> value, of every series."""
    families = text_string_to_metric_families(text)
    return {(sample.name, *sample.labels.values()): sample.value for family in families for sample in family.samples}


def test_verdicts_are_counted(found: dict[tuple[str, ...], float]) -> None:
    """By mode, policy and verdict, each image once however often it is asked for; and how long each took."""
    made = {key[1:]: value for key, value in found.items() if key[0] == "basegate_verdicts_total"}
    assert made == {("enforce", "azureml-2019-07", verdict): 1 for verdict in ("cleared", "refused")}
    assert found["basegate_verdict_lag_seconds_count",] == 2


def test_refusals_are_counted(found: dict[tuple[str, ...], float]) -> None:
    """By door, and by the rule that stands against the image."""
    refused = {key[1:]: value for key, value in found.items() if key[0] == "basegate_gate_refusals_total"}
    assert refused == {("manifest", "python-version"): 1, ("reference", "python-version"): 1}


def test_what_is_held_is_counted(found: dict[tuple[str, ...], float]) -> None:
    """A layer that both images share counts once; nothing is under way."""
    names = ("repositories", "tags", "manifests", "uploads_open", "uploads_running", "gc_runs_total")
    assert [found[f"basegate_{name}",] for name in names] == [1, 2, 2, 0, 0, 0]
    assert found["basegate_blobs",] == 5
    assert found["basegate_store_bytes",] > 500


def test_no_series_says_when_it_was_made(found: dict[tuple[str, ...], float]) -> None:
    """They would double what Prometheus keeps."""
    assert [key for key in found if key[0].endswith("_created")] == []


def test_every_metric_is_documented(found: dict[tuple[str, ...], float]) -> None:
    """docs/operations.md names each, and names none that is not there."""
    page = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
    named = set(re.findall(r"`(basegate_\w+)", page.partition("## Watching it")[2].partition("\n## ")[0]))
    given = {re.sub("_(bucket|sum|count)$", "", key[0]) for key in found}
    assert given - named == set()
    seldom = {"basegate_secret_next_end_timestamp_seconds", "basegate_errors_total", "basegate_events_lag"}
    clusters = {"basegate_rows_copy_lag_seconds", "basegate_blob_cache_bytes", "basegate_nodes_of_other_keys"}
    assert named - given <= seldom | clusters


def test_exemptions_near_their_end() -> None:
    """One ends soon, one later, one has ended."""
    ends = {"soon": SOON_SECONDS, "later": SOON_SECONDS + 1, "over": -1}
    exemptions = [Exemption(name, "*", "", "*", "ann", "because", 1000.0 + left) for name, left in ends.items()]
    collectors = CollectorRegistry()
    log = VerdictLog(lambda _repository: "enforce")
    collectors.register(EnforcementMetrics(log, Refusals(), lambda: exemptions, lambda: 1000.0))
    found = series(generate_latest(collectors).decode())
    assert found["basegate_exemptions",] == 2
    assert found["basegate_exemptions_ending_soon",] == 1


def test_sinks_that_are_behind(tmp_path: Path) -> None:
    """Of each sink that has begun, how many events it has still to be told."""
    with closing(open_metadata(tmp_path)) as store:
        happened = [Event(Kind.TAG_SET, "team/app")] * 3
        asyncio.run(store.write(events.record, 1.0, happened))
        asyncio.run(store.write(sinks.begin, "chat"))
        asyncio.run(store.write(events.record, 2.0, happened))
        assert asyncio.run(store.read_apart(count, ["chat"])).lags == {"chat": 3}

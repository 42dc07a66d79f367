"""The dashboard and the alerts of config/grafana: every expression is PromQL, of metrics and labels that there are."""

import json
import re
import subprocess
from pathlib import Path

import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families

from tests.architecture.source import ROOT
from tests.policy.scraped import judged, scraped

DASHBOARD = json.loads((ROOT / "config" / "grafana" / "basegate.json").read_text(encoding="utf-8"))
ALERTS = ROOT / "config" / "grafana" / "alerts.yaml"
VARIABLES = {"$__rate_interval": "5m", "$job": "basegate", "$instance": "127.*"}
SCRAPE = {"job", "instance", "le"}
"""Labels that Prometheus adds, and that of histograms."""
OF_SEVERAL_NODES = {"basegate_nodes_of_other_keys"}
"""Metrics that only a node with others has; tests/registry/telemetry/test_node_keys.py sees them."""
NODES_OF_OTHER_KEYS = """
rule_files: [alerts.yaml]
tests:
  - interval: 1m
    input_series: [{series: 'basegate_nodes_of_other_keys{instance="a"}', values: '0x9 2x20'}]
    alert_rule_test:
      - {eval_time: 9m, alertname: BasegateNodesOfOtherKeys, exp_alerts: []}
      - eval_time: 20m
        alertname: BasegateNodesOfOtherKeys
        exp_alerts: [{exp_labels: {instance: a, severity: critical}}]
"""


def expressions() -> dict[str, str]:
    """Where it stands -> the expression, with values for Grafana's variables."""
    found = {
        f"{panel['title']} {each['refId']}": each["expr"] for panel in DASHBOARD["panels"] for each in panel["targets"]
    }
    for name, value in VARIABLES.items():
        found = {where: text.replace(name, value) for where, text in found.items()}
    rules = yaml.safe_load(ALERTS.read_text(encoding="utf-8"))["groups"][0]["rules"]
    return found | {rule["alert"]: rule["expr"] for rule in rules}


@pytest.fixture(scope="module", name="text")
def _text(tmp_path_factory: pytest.TempPathFactory) -> str:
    with judged(tmp_path_factory.mktemp("dashboard")) as live:
        return scraped(live)


def promtool(*arguments: str, text: str = "") -> subprocess.CompletedProcess[str]:
    """Run it; both streams are one text."""
    command = ["promtool", *arguments]
    return subprocess.run(command, input=text, stdout=-1, stderr=subprocess.STDOUT, text=True, check=False)


@pytest.mark.client("promtool")
def test_expressions_are_promql(tmp_path: Path) -> None:
    """Each as a recording rule, and the alerts as they are."""
    rules = [{"record": f"test:{number}", "expr": text} for number, text in enumerate(expressions().values())]
    (tmp_path / "rules.yaml").write_text(yaml.safe_dump({"groups": [{"name": "test", "rules": rules}]}))
    done = promtool("check", "rules", str(tmp_path / "rules.yaml"))
    assert (done.returncode, f"{len(rules)} rules found" in done.stdout) == (0, True), done.stdout
    assert promtool("check", "rules", "--lint-fatal", str(ALERTS)).returncode == 0
    (tmp_path / "wrong.yaml").write_text(ALERTS.read_text(encoding="utf-8").replace("sum by (job", "sum by job"))
    assert promtool("check", "rules", str(tmp_path / "wrong.yaml")).returncode == 1


@pytest.mark.client("promtool")
def test_nodes_of_other_keys_alert(tmp_path: Path) -> None:
    """Some minutes after they are seen; the words are in the rules alone."""
    rules = yaml.safe_load(ALERTS.read_text(encoding="utf-8"))
    for rule in rules["groups"][0]["rules"]:
        rule.pop("annotations")
    (tmp_path / "alerts.yaml").write_text(yaml.safe_dump(rules))
    (tmp_path / "tests.yaml").write_text(NODES_OF_OTHER_KEYS)
    done = promtool("test", "rules", str(tmp_path / "tests.yaml"))
    assert (done.returncode, "SUCCESS" in done.stdout) == (0, True), done.stdout


@pytest.mark.client("promtool")
def test_prometheus_finds_no_fault_with_the_metrics(text: str) -> None:
    """Names, types and help texts are as Prometheus wants them."""
    done = promtool("check", "metrics", text=text)
    assert (done.returncode, done.stdout) == (0, "")


def test_expressions_name_metrics_that_there_are(text: str) -> None:
    """The server gives them under these names, on its first day too."""
    given = {
        name + end
        for name, kind in re.findall(r"^# TYPE (\S+) (\S+)$", text, re.MULTILINE)
        for end in (("_bucket", "_count", "_sum") if kind == "histogram" else ("",))
    }
    named = {where: set(re.findall(r"basegate_\w+", each)) for where, each in expressions().items()}
    assert all(named.values())
    given |= OF_SEVERAL_NODES
    assert {where: names - given for where, names in named.items() if names - given} == {}


def test_expressions_sum_by_labels_that_there_are(text: str) -> None:
    """A label that no series has would give one line without a name."""
    labels = {
        sample.name: set(sample.labels) for family in text_string_to_metric_families(text) for sample in family.samples
    }
    wanted = [
        (name, set(by.replace(" ", "").split(",")) - SCRAPE)
        for each in expressions().values()
        for by, name in re.findall(r"by \(([^)]*)\) \((?:rate|increase)\((\w+)", each)
    ]
    assert len(wanted) > 5
    assert [(name, by) for name, by in wanted if name in labels and not by <= labels[name]] == []


def test_panels_are_told_apart() -> None:
    """Each has a number, a title and a place of its own."""
    places = [tuple(panel["gridPos"][part] for part in "xy") for panel in DASHBOARD["panels"]]
    for values in (places, *([panel[part] for panel in DASHBOARD["panels"]] for part in ("id", "title"))):
        assert len(set(values)) == len(values) > 10

"""The manifests in config/: valid, and in accord with each other and with what the server answers."""

import re
import shlex
import subprocess
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml
from click.testing import CliRunner

from policy.cli.main import basegate
from policy.kubernetes.image_places import IMAGE_DRIVERS
from policy.settings import Settings
from tests.architecture.source import ROOT
from tests.policy.every_row import every_row

CONFIG = ROOT / "config"
PAGE = (ROOT / "docs" / "kubernetes.md").read_text(encoding="utf-8")
VERSIONS = [f"1.{minor}" for minor in range(30, 38)]
FOLDER = "/etc/kubernetes/basegate"


def documents(text: str) -> list[dict[str, Any]]:
    """Those of a file."""
    return list(yaml.safe_load_all(text))


MANIFESTS = documents((CONFIG / "kubernetes-admission.yaml").read_text(encoding="utf-8"))
CONTROL = documents((CONFIG / "admission-control.yaml").read_text(encoding="utf-8"))[0]
KUBECONFIG = documents((CONFIG / "kubernetes-kubeconfig.yaml").read_text(encoding="utf-8"))[0]
WEBHOOKS = [each for document in MANIFESTS for each in document.get("webhooks", [])]
BUNDLE = 'sed "s|CA_BUNDLE|$(base64 -w0 data/tls/ca.crt)|" config/kubernetes-admission.yaml > admission.yaml'
SECRET = 'sed "s|SECRET|$SECRET|" config/kubernetes-kubeconfig.yaml > kubeconfig.yaml'


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("kind", [document["kind"] for document in MANIFESTS])
def test_a_manifest_is_valid(kind: str, version: str) -> None:
    """For every Kubernetes that is in use, with no member that it does not know."""
    (document,) = [each for each in MANIFESTS if each["kind"] == kind]
    kubernetes_validate.validate(document, version, strict=True)


@pytest.mark.parametrize("version", VERSIONS)
def test_the_sidecar_is_valid(version: str) -> None:
    """The older example too."""
    for document in documents((CONFIG / "kubernetes-sidecar.yaml").read_text(encoding="utf-8")):
        kubernetes_validate.validate(document, version, strict=True)


@pytest.mark.parametrize("webhook", WEBHOOKS, ids=lambda each: each["name"])
def test_a_webhook_fails_closed(webhook: dict[str, Any]) -> None:
    """Without effects of its own, for every spelling of a kind, and with less patience than the server waits."""
    named = ("failurePolicy", "sideEffects", "matchPolicy", "admissionReviewVersions", "timeoutSeconds")
    assert [webhook[name] for name in named] == ["Fail", "None", "Equivalent", ["v1"], 10]
    assert {operation for rule in webhook["rules"] for operation in rule["operations"]} == {"CREATE", "UPDATE"}


@pytest.mark.parametrize("webhook", WEBHOOKS, ids=lambda each: each["name"])
def test_a_webhook_covers_all_that_makes_pods(webhook: dict[str, Any]) -> None:
    """The nine kinds, and ephemeral containers, which a rule for Pods does not cover."""
    covered = {f"{rule['apiGroups'][0]}/{each}" for rule in webhook["rules"] for each in rule["resources"]}
    apps = {f"apps/{each}" for each in ("deployments", "replicasets", "statefulsets", "daemonsets")}
    core = {f"/{each}" for each in ("pods", "pods/ephemeralcontainers", "podtemplates", "replicationcontrollers")}
    volumes = {"/persistentvolumes"} if webhook is WEBHOOKS[0] else set()
    assert covered == apps | core | volumes | {"batch/jobs", "batch/cronjobs"}


def test_persistent_volumes_that_are_images_are_covered() -> None:
    """By the webhook that decides; those that are disks are made while basegate is away."""
    judging, pinning = WEBHOOKS
    assert ["persistentvolumes"] in [rule["resources"] for rule in judging["rules"]]
    (condition,) = judging["matchConditions"]
    assert all(driver in condition["expression"] for driver in IMAGE_DRIVERS)
    assert "matchConditions" not in pinning


def test_webhooks_ask_where_they_are_answered() -> None:
    """Their paths are routes, and their Service is the one beside them."""
    services = [webhook["clientConfig"]["service"] for webhook in WEBHOOKS]
    assert {each["path"] for each in services} <= {row.path for row in every_row()}
    service = MANIFESTS[0]["metadata"]
    assert {(each["name"], each["namespace"]) for each in services} == {(service["name"], service["namespace"])}


def test_its_own_namespace_starts_without_it() -> None:
    """Or it could never start again."""
    for webhook in WEBHOOKS:
        (expression,) = webhook["namespaceSelector"]["matchExpressions"]
        assert expression["operator"] == "NotIn"
        assert MANIFESTS[0]["metadata"]["namespace"] in expression["values"]


def test_the_plugins_ask_as_the_same_user() -> None:
    """The kubeconfig has the user that the webhooks' Service chooses, and ImagePolicyWebhook's context names it."""
    service = MANIFESTS[0]["metadata"]
    user = f"{service['name']}.{service['namespace']}.svc"
    assert [each["name"] for each in KUBECONFIG["users"]] == [user]
    assert KUBECONFIG["contexts"][0]["context"]["user"] == user
    server = KUBECONFIG["clusters"][0]["cluster"]["server"]
    assert server.removeprefix("https://registry.lab.example:5000") in {row.path for row in every_row()}


def test_the_plugins_are_configured_to_fail_closed() -> None:
    """All of one file, whose kubeconfig is the same; what is revoked counts at once."""
    plugins = {plugin["name"]: plugin["configuration"] for plugin in CONTROL["plugins"]}
    image_policy = plugins.pop("ImagePolicyWebhook")["imagePolicy"]
    assert plugins.keys() == {"ValidatingAdmissionWebhook", "MutatingAdmissionWebhook"}
    assert {each["kubeConfigFile"] for each in (*plugins.values(), image_policy)} == {f"{FOLDER}/kubeconfig.yaml"}
    assert [image_policy[name] for name in ("defaultAllow", "allowTTL", "denyTTL")] == [False, -1, -1]


def test_the_commands_fill_them_in(tmp_path: Path) -> None:
    """The CA of `tls init` and a principal's secret get in by the commands that the files and the page show."""
    assert BUNDLE in PAGE
    assert SECRET in PAGE
    assert CliRunner().invoke(basegate, ["tls", "init", "--data", str(tmp_path / "data")]).exit_code == 0
    (tmp_path / "config").symlink_to(CONFIG)
    subprocess.run(["sh", "-ec", f"SECRET=abc\n{BUNDLE}\n{SECRET}"], cwd=tmp_path, check=True)
    webhooks = [each for document in documents((tmp_path / "admission.yaml").read_text()) for each in _of(document)]
    bundle = subprocess.check_output(["base64", "-w0", tmp_path / "data" / "tls" / "ca.crt"], text=True)
    assert {each["clientConfig"]["caBundle"] for each in webhooks} == {bundle}
    assert "password: abc" in (tmp_path / "kubeconfig.yaml").read_text()


def test_the_commands_of_the_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Make the certificate and the principal, in a folder with a registry."""
    monkeypatch.chdir(tmp_path)
    commands = re.findall(r"^ {4}basegate (.+)$", PAGE, re.MULTILINE)
    assert len(commands) == 2
    for command in ("init --data data", *commands):
        done = CliRunner().invoke(basegate, shlex.split(command))
        assert done.exit_code == 0, (command, done.output)
    assert KUBECONFIG["users"][0]["user"]["username"] in commands[1]


def test_the_page_says_what_the_plugin_cannot_see() -> None:
    """In one paragraph, with what it remembers and what to set; and the defaults are those of the settings."""
    (paragraph,) = [each for each in PAGE.split("\n\n") if each.startswith("Use the webhooks.")]
    for said in ("image volumes", "Deployments, Jobs", "allowTTL", "30 seconds at most"):
        assert said in paragraph
    defaults = Settings().kubernetes
    for row in ("`kubernetes.review_bytes` | 4 MiB", "`kubernetes.images` | 500", "`kubernetes.wait_seconds` (5)"):
        assert row in PAGE
    assert (defaults.review_bytes, defaults.images, defaults.wait_seconds) == (4 << 20, 500, 5.0)


def _of(document: dict[str, Any]) -> list[dict[str, Any]]:
    webhooks: list[dict[str, Any]] = document.get("webhooks", [])
    return webhooks

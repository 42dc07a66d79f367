"""Acts by command: who did what is in the audit log, and the running server says that it has noticed."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from policy.cli.main import basegate
from registry.telemetry.operator_name import operator_name
from tests.policy.images_made import good
from tests.policy.lab import Lab, open_lab
from tests.server_process import serving

EXEMPT = "policy exempt --repositories * --rule * --owner ann --reason moves --until 2999-01-01"
ACTS = [
    ("principal create ci --role AcrPush --repositories team/*", "principal.create", "name=ci role=AcrPush"),
    ("policy activate azureml-2020-09", "policy.activate", "policy=azureml-2020-09 repositories=*"),
    (EXEMPT, "policy.exempt", "owner=ann reason=moves"),
    ("tag rm team/app:v1", "tag.rm", ""),
    ("manifest rm team/app:v1 --yes", "manifest.rm", ""),
    ("repo rm team/app --yes", "repo.rm", ""),
    ("gc run", "gc.run", ""),
    ("trash empty --yes", "trash.empty", ""),
    ("inspect team/app:v1 --again", "inspect", "image=team/app:v1"),
    ("scrub", "scrub", ""),
    ("verify --repair", "verify", "repair=True"),
    ("tls init --host reg.example", "tls.init", "hosts=reg.example"),
]


@pytest.fixture(name="lab")
def _lab(tmp_path: Path) -> Iterator[Lab]:
    """A registry with an image in it."""
    with open_lab(tmp_path / "data") as opened:
        opened.pushed(good())
        yield opened


def run(data: Path, *words: str, **environment: str) -> Result:
    """Run a command on the data folder."""
    return CliRunner().invoke(basegate, [*words, "--data", str(data)], env=environment)


def lines(data: Path) -> list[dict[str, Any]]:
    """What commands have left in the audit log."""
    path = data / "audit" / "audit.log"
    found = [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []
    return [line for line in found if line["method"] == "COMMAND"]


@pytest.mark.parametrize(("command", "action", "detail"), ACTS, ids=[item[1] for item in ACTS])
def test_acts_are_recorded(lab: Lab, command: str, action: str, detail: str) -> None:
    """Who, what, and how it ended."""
    assert run(lab.data, *command.split()).exit_code == 0
    (line,) = lines(lab.data)
    assert (line["name"], line["action"], line["status"], line["result"]) == (operator_name(), action, 0, "done")
    assert detail in line["detail"]


def test_what_was_removed_is_named(lab: Lab) -> None:
    """Repository, reference and digest, as in a request's line."""
    run(lab.data, "manifest", "rm", "team/app:v1", "--yes")
    (line,) = lines(lab.data)
    assert (line["repository"], line["reference"], line["digest"]) == ("team/app", "v1", good().digest)


@pytest.mark.parametrize(
    "command",
    ["principal list", "policy list", "policy exemptions", "repo ls", "tag ls team/app", "gc --dry-run", "verify"],
)
def test_looking_is_not_recorded(lab: Lab, command: str) -> None:
    """Nothing was changed."""
    run(lab.data, *command.split())
    assert lines(lab.data) == []


def test_what_could_not_be_done_is_recorded(lab: Lab) -> None:
    """With the reason."""
    run(lab.data, "principal", "rotate", "ghost")
    (line,) = lines(lab.data)
    assert (line["action"], line["status"], line["result"]) == ("principal.rotate", 2, "failed")
    assert "there is no principal ghost" in line["reason"]


def test_no_secret_is_recorded(lab: Lab) -> None:
    """Those that were made are shown to the person alone."""
    made = json.loads(run(lab.data, "principal", "create", "ci", "--role", "Owner", "--json").stdout)
    text = (lab.data / "audit" / "audit.log").read_text()
    assert not [item["value"] for item in made["secrets"] if item["value"] in text]


@pytest.mark.parametrize(
    "command", ["import {layout} team/in:v1 --wait 0", "copy team/app:v1 team/in:v1", "export team/app {out}"]
)
def test_a_secret_for_a_registry_is_not_recorded(lab: Lab, tmp_path: Path, command: str) -> None:
    """Of the environment, where it counts for every command; nor what else says how a registry is reached."""
    words = command.format(layout=tmp_path / "absent", out=tmp_path / "out.tar").split()
    run(lab.data, *words, BASEGATE_USERNAME="ann", BASEGATE_PASSWORD="not-to-be-told", BASEGATE_PLAIN_HTTP="true")
    (line,) = lines(lab.data)
    assert line["action"] == words[0]
    assert not [word for word in ("not-to-be-told", "username", "plain_http") if word in json.dumps(line)]


def test_keys_in_the_url_of_a_store_are_not_recorded(lab: Lab) -> None:
    """Nor told: such a URL is refused before anything else."""
    words = ("migrate", "--from", str(lab.data), "--to", "s3://AK:not-to-be-told@bucket/lab")
    refused = CliRunner().invoke(basegate, words)
    assert (refused.exit_code, "not-to-be-told" in refused.output, lines(lab.data)) == (2, False, [])


def test_the_audit_log_is_that_of_the_settings(lab: Lab, tmp_path: Path) -> None:
    """Wherever it is; the file is its owner's alone."""
    elsewhere = tmp_path / "elsewhere" / "log"
    run(lab.data, "gc", "run", BASEGATE_AUDIT__FILE=str(elsewhere))
    assert json.loads(elsewhere.read_text())["action"] == "gc.run"
    assert elsewhere.stat().st_mode & 0o777 == 0o600


def test_none_is_wanted(lab: Lab) -> None:
    """`audit.enabled: false` counts for commands as well."""
    assert run(lab.data, "gc", "run", BASEGATE_AUDIT__ENABLED="false").exit_code == 0
    assert not (lab.data / "audit").exists()


def test_what_cannot_be_recorded_is_not_done(lab: Lab) -> None:
    """The log is tried first."""
    (lab.data / "audit" / "audit.log").mkdir(parents=True)
    result = run(lab.data, "principal", "create", "ci", "--role", "Owner")
    assert (result.exit_code, "nothing was done" in result.stderr) == (2, True)
    assert json.loads(run(lab.data, "principal", "list", "--json").stdout) == []


def test_a_backup_and_what_is_made_of_it(lab: Lab, tmp_path: Path) -> None:
    """Who has taken a copy; the new folder's log begins with the old one and says where it comes from."""
    run(lab.data, "backup", str(tmp_path / "kept"))
    run(tmp_path / "new", "restore", str(tmp_path / "kept"))
    assert [line["action"] for line in lines(lab.data)] == ["backup"]
    assert lines(tmp_path / "new")[-1]["action"] == "restore"
    assert str(tmp_path / "kept") in lines(tmp_path / "new")[-1]["detail"]


def test_the_first_act_is_that_it_was_made(tmp_path: Path) -> None:
    """`init` is recorded in the registry that it makes."""
    run(tmp_path, "init")
    assert [line["action"] for line in lines(tmp_path)] == ["init"]


def test_a_running_server_says_what_it_notices(tmp_path: Path) -> None:
    """A line of its log names who and what; its own lines and those of commands stand beside one another."""
    with serving(tmp_path, BASEGATE_LOG__LEVEL="info", BASEGATE_LOG__FORMAT="json") as server:
        assert server.host
        run(tmp_path, "principal", "create", "ci", "--role", "AcrPush")
        said = json.loads(server.logged("done by command")[0])
    assert (said["by"], said["action"], said["result"]) == (operator_name(), "principal.create", "done")
    assert "name=ci" in said["detail"]

"""Flags of `az ml model deploy` over the deployment configuration, as `basegate deploy check` takes them."""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from policy.cli.deploy import check_command
from policy.cli.deploy_service_flags import _FLAGS, SERVICE_PARAMETERS
from policy.cli.main import basegate
from tests.policy.client.playback import Playback, playing


def checked(folder: Path, gateway: Playback, *flags: str, dc: str | None = '{"computeType": "aci"}') -> Result:
    """The document's line with more flags, asked of a gateway that writes down what it is sent."""
    (folder / "ic.json").write_text('{"entryScript": "score.py", "runtime": "python", "baseImage": "x/app:v1"}')
    line = ["deploy", "check", "-n", "myservice", "-m", "mymodel:1", "--ic", str(folder / "ic.json")]
    if dc is not None:
        (folder / "dc.json").write_text(dc)
        line += ["--dc", str(folder / "dc.json")]
    return CliRunner().invoke(basegate, [*line, "--gateway", gateway.host, *flags], env={"HOME": str(folder)})


def sent(folder: Path, *flags: str, dc: str | None = '{"computeType": "aci"}') -> Any:
    """The deployment configuration that the gateway gets."""
    with playing() as gateway:
        result = checked(folder, gateway, *flags, dc=dc)
        bodies = [body for *_, body in gateway.asked if body]
    assert bodies, result.output
    return json.loads(bodies[-1])["deploymentConfig"]


def test_they_win_over_the_file(tmp_path: Path) -> None:
    """Members beside them stay, those within objects too."""
    file = '{"computeType": "aks", "containerResourceRequirements": {"cpu": 1, "memoryInGB": 4}, "gpuCores": 1}'
    found = sent(tmp_path, "--cc", "0.5", "--as", "--ma", "3", "--ae", "false", "--nr", "2", dc=file)
    assert found == {
        "computeType": "aks",
        "containerResourceRequirements": {"cpu": 0.5, "memoryInGB": 4},
        "gpuCores": 1,
        "autoScaler": {"autoscaleEnabled": True, "maxReplicas": 3},
        "authEnabled": False,
        "numReplicas": 2,
    }


def test_they_may_say_all(tmp_path: Path) -> None:
    """Without `--dc`; tags and properties are pairs."""
    found = sent(
        tmp_path, "--cp", "local", "--po", "8080", "--tag", "a=1", "--tag", "b=", "--property", "c=x=y", dc=None
    )
    assert found == {
        "computeType": "local",
        "port": 8080,
        "tags": {"a": "1", "b": ""},
        "properties": {"c": "x=y"},
    }


@pytest.mark.parametrize(("names", "member", "kind"), _FLAGS, ids=[names[0] for names, *_ in _FLAGS])
def test_each_is_taken(tmp_path: Path, names: tuple[str, ...], member: str, kind: Any) -> None:
    """By its long and its short name; keys stay here."""
    value = {"integer": "2", "float": "2", "boolean": "true"}.get(kind.name, "aci")
    for name in names:
        found: Any = sent(tmp_path, name, value)
        for part in member.split("."):
            found = found[part]
        assert str(found).lower() in {value, "2.0", "(withheld)"}


def test_no_key_leaves_for_the_gateway(tmp_path: Path) -> None:
    """As none of the file does."""
    assert sent(tmp_path, "--kp", "secret-one")["keys"] == {"primaryKey": "(withheld)"}


def test_those_that_change_nothing(tmp_path: Path) -> None:
    """They are taken as az takes them."""
    flags = ("--subscription-id", "s", "--path", ".", "-f", "m.json", "--no-wait", "-v")
    assert sent(tmp_path, *flags) == {"computeType": "aci"}


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        (("-e", "myenv"), "environments of a workspace are not kept here"),
        (("--ed", "folder"), "environments of a workspace are not kept here"),
        (("--no-such-flag", "1"), "No such option"),
        (("--cpu-core", "1"), "No such option"),
        (("--cc", "many"), "'many' is not a valid float"),
        (("--ae", "perhaps"), "'perhaps' is not a valid boolean"),
        (("--tag", "a"), "needs KEY=VALUE"),
    ],
)
def test_what_is_refused_is_named(tmp_path: Path, flags: tuple[str, ...], words: str) -> None:
    """With what to do; nothing is asked."""
    with playing() as gateway:
        result = checked(tmp_path, gateway, *flags)
        assert gateway.asked == []
    assert result.exit_code == 2
    assert words in result.output


def test_the_page_names_each() -> None:
    """docs/deployments.md has every flag, long and short."""
    page = (Path(__file__).parents[3] / "docs" / "deployments.md").read_text(encoding="utf-8")
    ours = [each for each in check_command.params if each.name in SERVICE_PARAMETERS]
    assert len(ours) == len(SERVICE_PARAMETERS)
    assert [name for names, *_ in _FLAGS for name in names if f"`{name}" not in page] == []

"""`basegate find` over a data folder."""

import json
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner, Result

from policy.cli.main import basegate
from tests.clients.trees import cleared_image, refused_image
from tests.policy.live import live_gateway


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two images of `team/app`."""
    folder = tmp_path_factory.mktemp("find")
    with live_gateway(folder / "data") as gateway:
        gateway.push(folder / "good", "team/app:good", cleared_image())
        gateway.push(folder / "bad", "team/app:bad", refused_image("bad"))
    return folder / "data"


def find(data: Path, *words: str) -> Result:
    """What the command answers."""
    return CliRunner().invoke(basegate, ["find", *words, "--data", str(data)])


def test_a_table(data: Path) -> None:
    """A line for each image, with its facts."""
    lines = find(data, "os.name=ubuntu verdict=refused").stdout.splitlines()
    assert len(lines) == 2
    assert lines[1].startswith("team/app:bad  refused  ubuntu ")
    assert lines[1].endswith("never")


def test_nothing(data: Path) -> None:
    """No line, and that is no fault."""
    answer = find(data, "os.name=alpine")
    assert (answer.exit_code, answer.stdout) == (0, "")


@pytest.mark.parametrize(("flag", "read"), [("json", json.loads), ("yaml", yaml.safe_load)])
def test_for_programs(data: Path, flag: str, read: object) -> None:
    """The document that the server gives."""
    answer = find(data, "repository=team/app", "--output", flag)
    document = read(answer.stdout)  # type: ignore[operator]
    assert {each["verdict"] for each in document["images"]} == {"cleared", "refused"}
    assert document["next"] == ""


def test_it_goes_on_where_it_ended(data: Path) -> None:
    """With what it has told."""
    first = json.loads(find(data, "kind~*", "--limit", "1", "--json").stdout)
    second = json.loads(find(data, "kind~*", "--limit", "1", "--json", "--after", first["next"]).stdout)
    assert first["images"] != second["images"]
    assert len(first["images"]) == len(second["images"]) == 1


def test_on_a_server(tmp_path: Path) -> None:
    """As the principal that signs in, with what it may see."""
    with live_gateway(tmp_path / "data") as gateway:
        gateway.push(tmp_path / "bad", "team/app:bad", refused_image())
        gateway.settle()
        found = {}
        for name in ("reader", "outsider"):
            login = ["--username", name, "--password", gateway.secrets[name]]
            answer = CliRunner().invoke(basegate, ["find", gateway.host, "verdict=refused", "--json", *login])
            found[name] = [each["tags"][0]["tag"] for each in json.loads(answer.stdout)["images"]]
    assert found == {"reader": ["bad"], "outsider": []}


def test_a_wrong_condition(data: Path) -> None:
    """Exit code 2, and what is known."""
    answer = find(data, "os.versions<16.04")
    assert (answer.exit_code, answer.stdout) == (2, "")
    assert "known are os.name" in answer.stderr


def test_its_help_names_the_facts() -> None:
    """With their meaning."""
    answer = CliRunner().invoke(basegate, ["find", "--help"])
    assert "tag.age" in answer.output
    assert "the last pull" in answer.output

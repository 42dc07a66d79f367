"""`basegate gc`: looking first, then removing, beside a running server."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from policy.cli.main import basegate
from tests.repository import Pushed, Repository
from tests.servers import LiveRegistry

Run = Callable[..., Result]


@pytest.fixture
def garbage(live: LiveRegistry) -> Iterator[Pushed]:
    """A blob that nothing refers to, beside an image that stays."""
    with live.client() as client:
        repository = Repository(client, "team/app")
        repository.image("v1", repository.blob(b"layer"))
        blob = repository.blob(b"garbage")
        repository.delete(f"blobs/{blob.digest}")
        yield blob


@pytest.fixture
def run(live: LiveRegistry, tmp_path: Path) -> Run:
    """Call a command on the data folder; nothing is too young to go."""
    settings = tmp_path / "basegate.yaml"
    settings.write_text("gc: {grace_seconds: 0}")

    def call(*arguments: str) -> Result:
        return CliRunner().invoke(basegate, ["gc", *arguments, "--data", str(live.data), "--config", str(settings)])

    return call


@pytest.mark.parametrize("command", ["--dry-run", "dry-run"])
def test_looking_changes_nothing(garbage: Pushed, run: Run, command: str) -> None:
    """Both spellings name what would go, every time."""
    for _ in range(2):
        plan = json.loads(run(command, "--json").output)
        assert (plan["blobs"], plan["bytes"]) == ([garbage.digest], len(garbage.raw))
    assert f"blob      {garbage.digest}" in run(command).output


def test_run_removes_what_was_named(live: LiveRegistry, garbage: Pushed, run: Run) -> None:
    """The garbage goes, the image stays."""
    report = json.loads(run("run", "--json").output)
    assert (report["blobs"], report["bytes"]) == (1, len(garbage.raw))
    assert json.loads(run("--dry-run", "--json").output)["blobs"] == []
    with live.client() as client:
        assert client.get("/v2/team/app/manifests/v1").status_code == 200


def test_run_for_a_person(garbage: Pushed, run: Run) -> None:
    """One line."""
    assert run("run").output.startswith("removed 0 manifests, 0 links, 1 blobs (7 B)")


def test_explanation(garbage: Pushed, run: Run) -> None:
    """Why content is kept, or not."""
    assert f"{garbage.digest} is not kept" in run("explain", garbage.digest).output
    assert json.loads(run("explain", garbage.digest, "--json").output)["kept"] is False


def test_neither_look_nor_run_is_a_usage_error(run: Run) -> None:
    """Removing takes an explicit word."""
    assert run().exit_code == 2


def test_young_garbage_stays(live: LiveRegistry, garbage: Pushed) -> None:
    """The default grace period protects what is being pushed."""
    result = CliRunner().invoke(basegate, ["gc", "run", "--json", "--data", str(live.data)])
    assert json.loads(result.output)["blobs"] == 0


def test_what_is_too_young_is_told(live: LiveRegistry, garbage: Pushed) -> None:
    """How much of it, and how old it has to be."""
    said = CliRunner().invoke(basegate, ["gc", "dry-run", "--data", str(live.data)]).output
    assert f"later: 1 blobs ({len(garbage.raw)} B) that nothing refers to are younger than gc.grace_seconds" in said


def test_broken_settings_are_one_line(live: LiveRegistry, tmp_path: Path) -> None:
    """Exit code 2, and the key."""
    (tmp_path / "broken.yaml").write_text("gcc: {}")
    result = CliRunner().invoke(
        basegate, ["gc", "run", "--data", str(live.data), "--config", str(tmp_path / "broken.yaml")]
    )
    assert result.exit_code == 2
    assert "there is no setting gcc: did you mean gc?" in result.output

"""`basegate repo|tag|manifest`: looking at a data folder and taking things out of it, beside a running server."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from policy.cli.main import basegate
from tests.repository import Pushed, Repository
from tests.servers import LiveRegistry

Run = Callable[..., Result]


@pytest.fixture
def image(repository: Repository) -> Pushed:
    """One image with two tags."""
    pushed = repository.image("v1", repository.blob(b"layer"))
    repository.put("v2", pushed.raw)
    return pushed


@pytest.fixture
def run(live: LiveRegistry) -> Run:
    """Call a command on the data folder."""

    def call(group: str, *arguments: str) -> Result:
        return CliRunner().invoke(basegate, [group, *arguments, "--data", str(live.data)])

    return call


def test_repositories_are_listed(repository: Repository, image: Pushed, run: Run) -> None:
    """One name a line, or a JSON list."""
    repository.beside("second").image()
    assert run("repo", "ls").output.split() == ["team/app", "team/app-second"]
    assert json.loads(run("repo", "ls", "--json").stdout) == ["team/app", "team/app-second"]


def test_repository_in_numbers(image: Pushed, run: Run) -> None:
    """Tags, manifests, blobs and bytes."""
    card = json.loads(run("repo", "show", "team/app", "--json").stdout)
    assert (card["tags"], card["manifests"], card["blobs"]) == (2, 1, 2)
    assert card["bytes"] == len(b"layer") + len(b"{}") + len(image.raw)
    assert "team/app: 2 tags, 1 manifests, 2 blobs" in run("repo", "show", "team/app").output


def test_removed_repository_is_gone_at_once(repository: Repository, image: Pushed, run: Run) -> None:
    """The running server follows."""
    assert run("repo", "rm", "team/app", "--yes").exit_code == 0
    assert repository.get("tags/list").status_code == 404


def test_removing_asks_first(repository: Repository, image: Pushed, run: Run) -> None:
    """Without --yes and without an answer nothing happens."""
    assert run("repo", "rm", "team/app").exit_code != 0
    assert repository.get("manifests/v1").status_code == 200


def test_tags_are_listed(image: Pushed, run: Run) -> None:
    """With what they point at, below headings."""
    cards = json.loads(run("tag", "ls", "team/app", "--json").stdout)
    assert [(card["name"], card["digest"]) for card in cards] == [("v1", image.digest), ("v2", image.digest)]
    headings, first, _ = run("tag", "ls", "team/app").output.splitlines()
    assert (headings.split()[:2], first.split()[:2]) == (["TAG", "DIGEST"], ["v1", image.digest])


def test_tag_is_shown(image: Pushed, run: Run) -> None:
    """Where it points."""
    assert json.loads(run("tag", "show", "team/app:v2", "--json").stdout)["digest"] == image.digest
    assert f"team/app:v2 -> {image.digest}" in run("tag", "show", "team/app:v2").output


def test_removed_tag_goes_alone(repository: Repository, image: Pushed, run: Run) -> None:
    """The manifest stays under its other tag."""
    assert run("tag", "rm", "team/app:v1").exit_code == 0
    assert [repository.get(f"manifests/{tag}").status_code for tag in ("v1", "v2")] == [404, 200]


def test_manifests_are_listed(image: Pushed, run: Run) -> None:
    """With their tags."""
    (card,) = json.loads(run("manifest", "ls", "team/app", "--json").stdout)
    assert (card["digest"], card["tags"]) == (image.digest, ["v1", "v2"])
    assert "v1, v2" in run("manifest", "ls", "team/app").output


@pytest.mark.parametrize("by_digest", [True, False])
def test_manifest_is_shown(image: Pushed, run: Run, *, by_digest: bool) -> None:
    """By tag or digest, with its parts."""
    name = f"team/app@{image.digest}" if by_digest else "team/app:v1"
    card = json.loads(run("manifest", "show", name, "--json").stdout)
    assert [part["kind"] for part in card["references"]] == ["config", "layer"]
    assert "layer" in run("manifest", "show", name).output


def test_removed_manifest_takes_its_tags_along(repository: Repository, image: Pushed, run: Run) -> None:
    """The running server follows."""
    assert run("manifest", "rm", f"team/app@{image.digest}", "--yes").exit_code == 0
    assert repository.get("tags/list").json()["tags"] == []


@pytest.mark.parametrize(
    ("group", "arguments"),
    [
        ("repo", ("show", "no/such")),
        ("tag", ("ls", "no/such")),
        ("tag", ("show", "team/app:none")),
        ("manifest", ("show", "team/app:none")),
        ("manifest", ("rm", "team/app@sha256:" + "0" * 64)),
    ],
)
def test_unknown_things_are_one_line(image: Pushed, run: Run, group: str, arguments: tuple[str, ...]) -> None:
    """Exit code 2 and what is missing."""
    result = run(group, *arguments)
    assert (result.exit_code, result.output.count("\n")) == (2, 1)


@pytest.mark.parametrize("name", ["UPPER", "team/app@sha256:x", "team/app:.x"])
def test_malformed_names_are_usage_errors(run: Run, name: str) -> None:
    """Exit code 2."""
    assert run("manifest", "show", name).exit_code == 2


def test_folder_without_a_registry(tmp_path: Path) -> None:
    """It is not made into one."""
    result = CliRunner().invoke(basegate, ["repo", "ls", "--data", str(tmp_path)])
    assert (result.exit_code, list(tmp_path.iterdir())) == (2, [])
    assert "there is no registry in" in result.output


@pytest.fixture(name="frozen")
def _frozen(tmp_path: Path) -> str:
    """A settings file by which `v1` is immutable."""
    path = tmp_path / "frozen.yaml"
    path.write_text("immutable_tags: [{repositories: [team/*], tags: [v1]}]")
    return str(path)


@pytest.mark.parametrize("words", ["tag rm team/app:v1", "manifest rm team/app:v2 --yes", "repo rm team/app --yes"])
def test_immutable_tags_stay(repository: Repository, image: Pushed, run: Run, frozen: str, words: str) -> None:
    """With all that they need; the message names the tag and the setting."""
    result = run(*words.split(), "--config", frozen)
    assert (result.exit_code, result.stderr.count("\n")) == (2, 1)
    assert "tag team/app:v1 is immutable" in result.stderr
    assert "immutable_tags" in result.stderr
    assert repository.get("tags/list").json()["tags"] == ["v1", "v2"]


def test_a_tag_beside_an_immutable_one_goes(repository: Repository, image: Pushed, run: Run, frozen: str) -> None:
    """Of the same manifest."""
    assert run("tag", "rm", "team/app:v2", "--config", frozen).exit_code == 0
    assert repository.get("tags/list").json()["tags"] == ["v1"]

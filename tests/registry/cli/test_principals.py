"""`basegate principal …` on a data folder, beside a running server too."""

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from policy.cli.main import basegate
from registry.auth.actions import Role
from registry.config.group import DAY
from registry.metadata.open_store import open_metadata
from registry.oci.timestamp import seconds_of
from tests.registry.api.guarded import guarded_registry
from tests.registry.auth.people import person

Run = Callable[..., Result]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Run a command on one data folder."""
    open_metadata(tmp_path).close()

    def command(*words: str) -> Result:
        return CliRunner().invoke(basegate, ["principal", *words, "--data", str(tmp_path)])

    return command


def create(run: Run, *words: str) -> dict[str, Any]:
    """Make a principal and read the answer for programs."""
    result = run("create", "ci", "--role", "AcrPush", *words, "--json")
    assert result.exit_code == 0, result.output
    loaded: dict[str, Any] = json.loads(result.stdout)
    return loaded


def test_create_prints_the_fixed_form(run: Run) -> None:
    """What other programs read."""
    made = create(run, "--repositories", "team/*")
    assert list(made) == ["name", "id", "role", "repositories", "secrets"]
    assert (made["name"], made["role"], made["repositories"]) == ("ci", "AcrPush", ["team/*"])
    assert [list(secret) for secret in made["secrets"]] == [["name", "value", "expires"]] * 2


def test_repositories_may_be_repeated_or_listed(run: Run) -> None:
    """Both ways add up, each pattern once."""
    made = create(run, "--repositories", "a/*,b/*", "--repositories", "c", "--repositories", "c")
    assert made["repositories"] == ["a/*", "b/*", "c"]


def test_the_setting_says_how_long_secrets_live(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where nobody else does."""
    monkeypatch.setenv("BASEGATE_AUTH__SECRET_DAYS", "30")
    ends = {seconds_of(secret["expires"])[0] for secret in create(run)["secrets"]}
    assert {round((end - time.time()) / DAY) for end in ends} == {30}


def test_secrets_are_shown_once(run: Run) -> None:
    """Neither show nor list knows them any more."""
    values = [secret["value"] for secret in create(run)["secrets"]]
    shown = run("show", "ci", "--json").output + run("list", "--json").output + run("show", "ci").output
    assert not [value for value in values if value in shown]
    assert json.loads(run("show", "ci", "--json").stdout)["enabled"] is True


def test_create_for_a_person_shows_user_name_and_secrets(run: Run) -> None:
    """What is needed for `docker login`, and that it will not be shown again."""
    output = run("create", "ci", "--role", "AcrPull").output
    assert "user name  " in output
    assert "password1  " in output
    assert "shown this once" in output


def test_life_of_the_secrets_can_be_set(run: Run) -> None:
    """In days."""
    expires = create(run, "--days", "1")["secrets"][0]["expires"]
    assert expires[:10] == time.strftime("%Y-%m-%d", time.gmtime(time.time() + 86_400))


@pytest.mark.parametrize(
    ("words", "code", "text"),
    [
        (("create", "ci", "--role", "AcrPush"), 2, "exists already"),
        (("create", "b a d", "--role", "AcrPush"), 2, "is not valid"),
        (("create", "other", "--role", "Emperor"), 2, "Invalid value"),
        (("create", "other", "--role", "Owner", "--repositories", "NO"), 2, "repository pattern"),
        (("show", "ghost"), 2, "no principal ghost"),
        (("rotate", "ghost"), 2, "no principal ghost"),
        (("disable", "ghost"), 2, "no principal ghost"),
        (("delete", "ghost"), 2, "no principal ghost"),
    ],
)
def test_refusals(run: Run, words: tuple[str, ...], code: int, text: str) -> None:
    """One line that says what was found."""
    create(run)
    result = run(*words)
    assert result.exit_code == code
    assert text in result.output


def test_absent_data_folder_is_not_made_by_looking(tmp_path: Path) -> None:
    """A mistyped --data is told, not turned into an empty registry."""
    result = CliRunner().invoke(basegate, ["principal", "list", "--data", str(tmp_path / "typo")])
    assert (result.exit_code, (tmp_path / "typo").exists()) == (2, False)
    assert "name its data folder with --data" in result.output


def test_rotate_one(run: Run) -> None:
    """Only the named secret is renewed and shown."""
    before = create(run)
    after = json.loads(run("rotate", "ci", "--secret", "password2", "--json").stdout)
    assert [secret["name"] for secret in after["secrets"]] == ["password2"]
    assert after["secrets"][0]["value"] != before["secrets"][1]["value"]


def test_list_for_a_person(run: Run) -> None:
    """One line each, with what is unusual."""
    made = create(run)
    run("disable", "ci")
    headings, line = run("list").output.splitlines()
    ends = made["secrets"][0]["expires"]
    assert headings.split() == ["NAME", "ID", "ROLE", "REPOSITORIES", "SECRETS", "END"]
    assert line.split() == ["ci", made["id"], "AcrPush", "*", ends, "disabled"]


Becomes = Callable[[int, str], bool]
READER = person(Role.ACR_PULL)


@pytest.fixture
def becomes(tmp_path: Path) -> Iterator[Becomes]:
    """Whether a running server answers the reader's secret with a status within a second."""
    with guarded_registry(tmp_path) as live, live.client() as client:

        def comes_to(status: int, secret: str) -> bool:
            for _ in range(20):
                if client.get("/v2/", auth=("acrpull", secret)).status_code == status:
                    return True
                time.sleep(0.05)
            return False

        yield comes_to


def test_disabling_counts_in_a_running_server(run: Run, becomes: Becomes) -> None:
    """And enabling; without a restart."""
    assert becomes(200, READER.secret())
    run("disable", "acrpull")
    assert becomes(401, READER.secret())
    run("enable", "acrpull")
    assert becomes(200, READER.secret())


def test_rotation_counts_in_a_running_server(run: Run, becomes: Becomes) -> None:
    """The new secret is good, the old one is not."""
    assert becomes(200, READER.secret())
    secret = json.loads(run("rotate", "acrpull", "--json").stdout)["secrets"][0]["value"]
    assert becomes(200, secret)
    assert becomes(401, READER.secret())


def test_deleting_counts_in_a_running_server(run: Run, becomes: Becomes) -> None:
    """As if the principal had never been."""
    assert becomes(200, READER.secret())
    run("delete", "acrpull", "--yes")
    assert becomes(401, READER.secret())

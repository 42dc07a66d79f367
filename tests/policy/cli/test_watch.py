"""`basegate watch` on a live server: pushes with their verdicts."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from policy.cli.main import basegate
from policy.client.api import Connection
from policy.client.pushes import newest
from tests.clients.trees import cleared_image, refused_image
from tests.policy.live import LiveGateway, live_gateway


@pytest.fixture(scope="module", name="gateway")
def _gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveGateway]:
    folder = tmp_path_factory.mktemp("watch")
    with live_gateway(folder / "data", web={"enabled": False}) as gateway:
        gateway.push(folder / "good", "team/app:good", cleared_image())
        gateway.push(folder / "bad", "team/app:bad", refused_image())
        gateway.push(folder / "other", "teams/app:v1", cleared_image())
        yield gateway


def watched(gateway: LiveGateway, path: str, *arguments: str, who: str = "reader") -> Result:
    """Run it to its end."""
    login = ("--username", who, "--password", gateway.secrets[who])
    return CliRunner().invoke(basegate, ["watch", f"{gateway.host}{path}", *login, *arguments])


def test_each_push_is_a_line_with_its_verdict(gateway: LiveGateway) -> None:
    """In the order in which they came, with who pushed, and why one is refused."""
    ended = watched(gateway, "", "--after", "0", "--count", "3")
    lines = ended.stdout.splitlines()
    assert ended.exit_code == 0, ended.stderr
    assert [line.split("  ")[1].partition("@")[0] for line in lines] == [
        "team/app:good",
        "team/app:bad",
        "teams/app:v1",
    ]
    assert lines[0].endswith("pushed by admin: cleared by policy azureml-2019-07")
    assert "refused by policy azureml-2019-07: Python 3.7.1 found" in lines[1]


def test_a_path_chooses_repositories(gateway: LiveGateway) -> None:
    """Those at it and below it, not those whose names only begin like it."""
    ended = watched(gateway, "/team", "--after", "0", "--for", "0", "--json")
    found = [json.loads(line) for line in ended.stdout.splitlines()]
    assert [(each["repository"], each["tag"], each["verdict"]) for each in found] == [
        ("team/app", "good", "cleared"),
        ("team/app", "bad", "refused"),
    ]


def test_a_push_is_shown_when_it_comes(gateway: LiveGateway, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without --after what was there before is not shown."""

    def newest_then_push(connection: Connection) -> int:
        number = newest(connection)
        gateway.push(tmp_path, "team/late:v1", cleared_image("late"))
        return number

    monkeypatch.setattr("policy.cli.watch.newest", newest_then_push)
    ended = watched(gateway, "", "--count", "1", "--for", "60")
    assert ended.stdout.count("\n") == 1
    assert "team/late:v1@sha256:" in ended.stdout


def test_a_push_of_what_is_there_is_shown_with_its_tag(gateway: LiveGateway, tmp_path: Path) -> None:
    """Although the tag does not move."""
    for folder in ("first", "second"):
        gateway.push(tmp_path / folder, "again/app:v1", cleared_image())
    ended = watched(gateway, "/again", "--after", "0", "--for", "0", "--json")
    assert [json.loads(line)["tag"] for line in ended.stdout.splitlines()] == ["v1", "v1"]


def test_who_may_not_pull_sees_nothing(gateway: LiveGateway) -> None:
    """Not even that something was pushed."""
    ended = watched(gateway, "", "--after", "0", "--for", "0", who="outsider")
    assert (ended.exit_code, ended.stdout) == (0, "")


def test_wrong_credentials(gateway: LiveGateway) -> None:
    """One line, and 2."""
    login = ("--username", "reader", "--password", "wrong-wrong-wrong-wrong")
    ended = CliRunner().invoke(basegate, ["watch", gateway.host, *login, "--for", "0"])
    assert ended.exit_code == 2
    assert "refused the credentials of reader" in ended.stderr

"""Commands on a data folder whose rows are in PostgreSQL: they do as elsewhere, or end with 2 and say what to do."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from policy.cli.main import basegate
from registry.oci.digest import Digest
from tests.clients.trees import cleared_image, refused_image
from tests.policy.cli.test_both_places import CHANGES, READS, on_folder, on_server, said
from tests.policy.live import LiveGateway, live_gateway
from tests.postgres import PostgresServer


@pytest.fixture(name="variables")
def _variables(postgres: PostgresServer, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """A new database, which the commands of the test are told of."""
    variables = postgres.variables()
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    return variables


@pytest.fixture(name="live")
def _live(variables: dict[str, str], tmp_path: Path) -> Iterator[LiveGateway]:
    """A server over it, with an image that is cleared and one that is refused."""
    metadata = {name.removeprefix("BASEGATE_METADATA__").lower(): value for name, value in variables.items()}
    with live_gateway(tmp_path / "data", metadata=metadata) as live:
        live.push(tmp_path / "first", "team/app:good", refused_image())
        live.push(tmp_path / "good", "team/app:good", cleared_image())
        live.push(tmp_path / "bad", "team/app:bad", refused_image())
        live.settle()
        yield live


def test_looking_tells_the_same_as_the_server(live: LiveGateway) -> None:
    """Every command that only looks."""
    for command in READS:
        here, there = on_folder(live.registry.data, command), on_server(live, command)
        assert (here.exit_code, there.exit_code) == (0, 0), (command, here.output, there.output)
        assert said(here) == said(there) != ""


def test_changes_are_made(live: LiveGateway) -> None:
    """Every command that changes something, beside the server, and with a line in its audit log."""
    for command in CHANGES:
        done = on_folder(live.registry.data, command)
        assert done.exit_code == 0, (command, done.output)
    recorded = (live.registry.data / "audit/audit.log").read_text()
    assert recorded.count('"COMMAND"') == len(CHANGES)


def test_a_deleted_tag_has_gone_from_the_server(live: LiveGateway) -> None:
    """At once: the command tells the nodes."""
    with live.client("admin") as client:
        assert client.get("/v2/team/app/manifests/good").status_code == 200
        assert on_folder(live.registry.data, "tag rm team/app:good").exit_code == 0
        assert client.get("/v2/team/app/manifests/good").status_code == 404


@pytest.mark.parametrize(
    ("command", "words"),
    [
        ("verify", "0 things do not fit"),
        ("verify --digests --repair", "0 things do not fit"),
        ("scrub --rate 0", "0 damaged or missing"),
        ("inspect team/app:good", "cleared"),
        ("inspect team/app:bad --again", "refused"),
        ("verify-evidence team/app:good", ""),
        ("export team/app:good {folder}/good.tar", ""),
        ("audit verify", ""),
    ],
)
def test_maintenance_works(live: LiveGateway, tmp_path: Path, command: str, words: str) -> None:
    """On the rows in the database and the blobs of the folder."""
    done = on_folder(live.registry.data, command.format(folder=tmp_path))
    assert done.exit_code == 0, done.output
    assert words in done.output


def test_damage_is_found_and_repaired(live: LiveGateway) -> None:
    """A blob that is lost is told of, and comes back with a push."""
    next((live.registry.data / "blobs/sha256").glob("*/*")).unlink()
    found = on_folder(live.registry.data, "verify")
    assert (found.exit_code, "is missing: push it again" in found.stdout) == (1, True)


@pytest.mark.parametrize(
    ("command", "words"),
    [
        ("backup {folder}/backup", "back that database up with pg_dump"),
        ("restore {folder}/backup", "restore that database from its own backup"),
        ("rebuild", "restore that database from its backup"),
        ("init", "there is a registry in"),
    ],
)
def test_what_is_not_done_says_what_to_do(live: LiveGateway, tmp_path: Path, command: str, words: str) -> None:
    """With 2, and nothing is changed."""
    refused = on_folder(live.registry.data, command.format(folder=tmp_path))
    assert (refused.exit_code, refused.stdout) == (2, "")
    assert words in refused.stderr


@pytest.mark.parametrize("command", ["repo ls", "gc dry-run", "verify", "inspect team/app:good", "init"])
def test_without_the_setting(live: LiveGateway, monkeypatch: pytest.MonkeyPatch, command: str) -> None:
    """A folder that is marked is not taken for a new one."""
    monkeypatch.delenv("BASEGATE_METADATA__URL")
    refused = on_folder(live.registry.data, command)
    assert refused.exit_code == 2
    assert "name it in metadata.url" in refused.stderr or "there is a registry in" in refused.stderr
    assert not (live.registry.data / "registry.db").exists()


def init(data: Path) -> Result:
    """Make a registry."""
    return CliRunner().invoke(basegate, ["init", "--data", str(data)])


@pytest.mark.usefixtures("variables")
def test_a_registry_is_made_in_the_database(tmp_path: Path) -> None:
    """Once: another folder would have its files elsewhere."""
    made = init(tmp_path / "one")
    assert (made.exit_code, "admin    Owner" in made.stdout) == (0, True)
    assert "admin" in on_folder(tmp_path / "one", "principal list").stdout
    assert not (tmp_path / "one/registry.db").exists()
    assert init(tmp_path / "two").exit_code == 2


@pytest.mark.usefixtures("variables")
def test_there_is_no_registry_yet(tmp_path: Path) -> None:
    """A database does not make a data folder one."""
    refused = on_folder(tmp_path, f"gc explain {Digest.of(b'nothing')}")
    assert (refused.exit_code, "there is no registry in" in refused.stderr) == (2, True)

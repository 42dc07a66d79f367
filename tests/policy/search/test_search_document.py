"""docs/search.md: its commands are typed as they stand there, and its table has the facts that there are."""

import re
import shlex
from collections.abc import Iterator

import pytest
from click.testing import CliRunner

from policy.cli.main import basegate
from policy.search.conditions import FACTS, OPERATORS
from tests.architecture.source import ROOT
from tests.clients.trees import refused_image
from tests.policy.live import LiveGateway, live_gateway

_PAGE = (ROOT / "docs" / "search.md").read_text(encoding="utf-8")
_COMMANDS = re.findall(r"^ {4}basegate (find .+)$", _PAGE, re.MULTILINE)
_ADDRESSES = re.findall(r"'http://127\.0\.0\.1:5000([^']+)'", _PAGE)
_ROWS = re.findall(r"^\| ((?:`[a-z.]+`(?:, )?)+) \| (.+) \| (.+) \|$", _PAGE, re.MULTILINE)
_SERVER = "127.0.0.1:5000"


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveGateway]:
    """A server with one image."""
    folder = tmp_path_factory.mktemp("page")
    with live_gateway(folder / "data") as gateway:
        gateway.push(folder / "bad", "team/app:bad", refused_image())
        yield gateway


@pytest.mark.parametrize("command", _COMMANDS)
def test_a_command_of_the_page(live: LiveGateway, command: str) -> None:
    """It ends with 0, in the data folder and on the server."""
    words = shlex.split(command.replace(_SERVER, live.host))
    words = [str(live.registry.data) if word == "data" else word for word in words]
    login = {"BASEGATE_USERNAME": "admin", "BASEGATE_PASSWORD": live.secrets["admin"]}
    answer = CliRunner().invoke(basegate, words, env=login if live.host in words else None)
    assert answer.exit_code == 0, answer.output


@pytest.mark.parametrize("address", _ADDRESSES)
def test_an_address_of_the_page(live: LiveGateway, address: str) -> None:
    """It is answered."""
    with live.client("reader") as client:
        assert client.get(address).status_code == 200


def test_the_table_has_every_fact_with_its_signs() -> None:
    """Facts of one row have their signs in the same order."""
    told: dict[str, tuple[str, ...]] = {}
    before: list[str] = []
    for names, _meaning, signs in _ROWS:
        facts = [fact for fact in re.findall(r"`([a-z.]+)`", names) if not fact.startswith("search.")]
        if not facts:
            continue
        before = before if signs == "the same" else re.findall(r"`([^`]+)`", signs)
        told |= {fact: tuple(before[min(at, len(before) - 1)].split()) for at, fact in enumerate(facts)}
    assert {fact: set(signs) for fact, signs in told.items()} == {
        fact: set(OPERATORS[known.form]) for fact, known in FACTS.items()
    }


def test_there_is_something_to_try() -> None:
    """The patterns above find what the page has."""
    assert len(_COMMANDS) > 3
    assert _ADDRESSES

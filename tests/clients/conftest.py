"""A live basegate over HTTP and over TLS, its accounts, and every client against it."""

import os
import shutil
import tempfile
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.clients.client import Client, Endpoint
from tests.clients.first_start import Terminal, first_start
from tests.clients.roster import ROSTER, Daemons, Entry
from tests.clients.site import Site
from tests.clients.table import PAGE, Table, Trial, texts_of
from tests.installation import Installation

OPERATIONS = (
    "sign in",
    "wrong password",
    "push",
    "pull by tag",
    "pull by digest",
    "several platforms",
    "list tags",
    "referrers",
    "delete",
    "push over a cut line",
    "pull over a cut line",
    "push as a reader",
    "pull of an image that is not cleared",
)
# Tools that take minutes to build: `make artifacts` has them.
collect_ignore = [] if os.environ.get("ARTIFACT_TOOLS") else ["test_artifact_tools.py", "test_buildkit_cache.py"]
TRIALS = pytest.StashKey[Table]()

Connect = Callable[[Entry, Endpoint], Client]


def pytest_addoption(parser: pytest.Parser) -> None:
    """Where the table is to be written."""
    parser.addoption("--clients-table", help="write the table of clients and operations to this file")


def pytest_configure(config: pytest.Config) -> None:
    """An empty table."""
    config.stash[TRIALS] = Table(tuple(entry.name for entry in ROSTER), OPERATIONS)


@pytest.fixture(scope="session", params=["HTTP", "TLS"])
def site(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A live basegate with an owner and a principal that may only pull."""
    folder = tmp_path_factory.mktemp("site")
    installation = Installation(folder / "data", {"BASEGATE_AUTH__THROTTLE__ADDRESS_FAILURES": "1000"})
    with Site.started(installation, str(request.param)) as live:
        yield live


@pytest.fixture(scope="session")
def daemons(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Daemons]:
    """The docker and containerd of this test process."""
    with ExitStack() as until:
        yield Daemons(tmp_path_factory.mktemp("daemons"), until)


@pytest.fixture(scope="module")
def terminal(daemons: Daemons, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Terminal]:
    """Where the commands of a page are typed as they stand there, in a clone whose registry has begun."""
    with first_start(daemons, tmp_path_factory.mktemp("clone")) as opened:
        yield opened


@pytest.fixture
def homes() -> Iterator[Path]:
    """A folder for the clients' homes; podman wants a path of 50 characters at most, which pytest's own is not."""
    folder = Path(tempfile.mkdtemp(prefix="client-"))
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
def connect(request: pytest.FixtureRequest, daemons: Daemons, homes: Path) -> Connect:
    """Make a client of the roster, with a home of its own, for an endpoint."""

    def make(entry: Entry, endpoint: Endpoint) -> Client:
        made = entry.make(homes / f"{entry.name}-{uuid.uuid4().hex[:4]}", endpoint, daemons)
        versions = request.config.stash[TRIALS].versions
        versions[entry.name] = versions.get(entry.name) or made.version()
        return made

    return make


@pytest.fixture
def client(entry: Entry, site: Site, connect: Connect) -> Client:
    """The client of this test, signed in as the owner."""
    made = connect(entry, site.endpoint)
    made.log_in(site.owner.username, site.owner.password).check()
    return made


@pytest.fixture
def repository(entry: Entry) -> str:
    """A repository that no other test uses."""
    return f"{entry.name}/{uuid.uuid4().hex[:12]}"


@pytest.fixture
def trial(request: pytest.FixtureRequest, entry: Entry, site: Site) -> Callable[..., None]:
    """Note for the table that an operation was shown; the page's version of a client must print what the page says."""
    table = request.config.stash[TRIALS]

    def note(operation: str, note: str = "", text: str = "") -> None:
        assert operation in OPERATIONS
        table.trials.append(Trial(entry.name, operation, site.transport, note, text))
        told = texts_of(PAGE.read_text(encoding="utf-8"), entry.name, table.versions[entry.name])
        # The page shows what is printed over plain HTTP; over TLS the URLs differ.
        if operation in told and site.transport == "HTTP" and not request.config.getoption("--clients-table", None):
            assert text.splitlines()[-1:] == told[operation].splitlines()[-1:]

    return note


def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """Write the table, when it was asked for and the run was green."""
    target = session.config.getoption("--clients-table", None)
    if target and exitstatus == 0:
        Path(target).write_text(session.config.stash[TRIALS].render(), encoding="utf-8")

"""PostgreSQL for tests: one server for a session, on a Unix socket, and a database for each test."""

import itertools
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

from registry.database.postgres import Database
from registry.metadata.open_postgres import open_postgres
from registry.metadata.postgres_store import PostgresStore
from tests.waiting import wait_until

_USERS = ("postgres", "nobody")
_READY = "ready"
"""A database with all tables: to copy it takes less time than to make them."""
_START_SECONDS = 180.0
_PATIENCE_SECONDS = 30.0
"""A busy machine is no silent database."""


class PostgresServer:
    """A server of its own, as an unprivileged user: PostgreSQL refuses to run as root.

    Args:
        folder: for its files; short, for a socket has a path of at most 107 bytes.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._programs = _programs()
        self._as_user = _as_user(folder)
        self._numbers = itertools.count(1)
        self._run("initdb", "--auth=trust", "--username=basegate", "--encoding=UTF8", "--locale=C.UTF-8", "--no-sync")
        self._process = self.start()
        with self.at("postgres").connect(autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {_READY}")
        open_postgres(self.at(_READY)).close()

    @property
    def folder(self) -> Path:
        """Where its socket is."""
        return self._folder

    def start(self) -> "subprocess.Popen[bytes]":
        """Start it, and wait until it answers; it ends with the thread that calls this, also where that is killed."""
        places: list[str | Path] = ["-D", self._folder / "data", "-k", self._folder]
        settings = ["-c", "listen_addresses=", "-c", "max_connections=300"]
        command = [*self._as_user, *_dying(), self._programs / "postgres", *places, *settings]
        with (self._folder / "log").open("ab") as log:
            self._process = subprocess.Popen(command, stdout=log, stderr=log, cwd=self._folder)
        end = time.monotonic() + _START_SECONDS
        while not _answers(self.at("postgres")):
            assert time.monotonic() < end, (self._folder / "log").read_text()
            time.sleep(0.05)
        return self._process

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        """End it: SIGINT has it close its connections and write what it has; SIGQUIT is a crash."""
        self._process.send_signal(how)
        self._process.wait(_START_SECONDS)

    def signal_all(self, which: signal.Signals) -> None:
        """Send a signal to every process of it."""
        leader = self._process.pid
        children = Path(f"/proc/{leader}/task/{leader}/children").read_text(encoding="ascii").split()
        for process in (leader, *map(int, children)):
            with suppress(ProcessLookupError):  # one of them may end meanwhile, as those for upkeep do
                os.kill(process, which)

    def new_database(self, like: str = "template1", encoding: str = "") -> Database:
        """A database of its own: an empty one, or one `like` another; `encoding`: of its texts, where not UTF-8."""
        name = f"test{next(self._numbers)}"
        with self.at("postgres").connect(autocommit=True) as connection:
            new, old = sql.Identifier(name), sql.Identifier(like)
            other = sql.SQL("ENCODING {} LOCALE 'C'").format(encoding) if encoding else sql.SQL("")
            connection.execute(sql.SQL("CREATE DATABASE {} TEMPLATE {} {}").format(new, old, other))
        return self.at(name)

    def opener(self) -> Callable[[], PostgresStore]:
        """Opens the metadata store of one new database, as often as it is called."""
        return partial(open_postgres, self.new_database(_READY), silence_seconds=_PATIENCE_SECONDS)

    def settings(self, database: Database | None = None, **changed: Any) -> dict[str, Any]:
        """The group `metadata` of the settings, for a database; by default a new one, which is empty."""
        patience = {"silence_seconds": _PATIENCE_SECONDS}
        return {"url": (database or self.new_database()).url, **patience, **changed}

    def variables(self) -> dict[str, str]:
        """The same as environment variables of a server or a command."""
        return {f"BASEGATE_METADATA__{name.upper()}": str(value) for name, value in self.settings().items()}

    def guarded(self, secret: str) -> Database:
        """A new database of a user who needs this password; it is not in what is returned."""
        with self.at("postgres").connect(autocommit=True) as connection:
            connection.execute(sql.SQL("CREATE ROLE guarded LOGIN PASSWORD {}").format(sql.Literal(secret)))
            connection.execute("CREATE DATABASE guarded OWNER guarded")
            rules = self._folder / "data" / "pg_hba.conf"
            rules.write_text(f"local all guarded scram-sha-256\n{rules.read_text()}")
            connection.execute("SELECT pg_reload_conf()")
        guarded = Database(f"postgresql://guarded@/guarded?host={self._folder}")
        wait_until(lambda: not _answers(guarded))
        return guarded

    def at(self, name: str) -> Database:
        """A database of this name."""
        return Database(f"postgresql://basegate@/{name}?host={self._folder}", connect_seconds=int(_PATIENCE_SECONDS))

    def _run(self, program: str, *arguments: str) -> None:
        command: list[str | Path] = [*self._as_user, self._programs / program, "-D", self._folder / "data", *arguments]
        subprocess.run(command, check=True, capture_output=True, cwd=self._folder)


@contextmanager
def postgres_server() -> Iterator[PostgresServer]:
    """A server until the block ends."""
    folder = Path(tempfile.mkdtemp(prefix="pg-", dir="/tmp"))
    try:
        server = PostgresServer(folder)
        try:
            yield server
        finally:
            server.stop(signal.SIGQUIT)  # nothing of it is kept
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _answers(database: Database) -> bool:
    try:
        database.connect().close()
    except psycopg.OperationalError:
        return False
    return True


def _programs() -> Path:
    """The folder of the newest server that is installed: Debian keeps each version in a folder of its own."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"), key=lambda path: int(path.parts[-3]))
    if found:
        return found[-1].parent
    on_path = shutil.which("postgres")
    assert on_path, "PostgreSQL is not installed: `make tools` installs it"
    return Path(on_path).parent


def _dying() -> list[str]:
    """What a command begins with to end when its parent does; behind a change of user, which would undo it."""
    setpriv = shutil.which("setpriv")
    return [setpriv, "--pdeathsig", "QUIT", "--"] if setpriv else []


def _as_user(folder: Path) -> list[str]:
    """What a command begins with to run as an unprivileged user, who gets the folder."""
    if os.geteuid() != 0:
        return []
    known = {user.pw_name: user for user in pwd.getpwall()}
    user = next(known[name] for name in _USERS if name in known)
    os.chown(folder, user.pw_uid, user.pw_gid)
    return ["setpriv", f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups"]

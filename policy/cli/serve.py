"""`basegate serve`: the registry with its gateway, until SIGTERM or SIGINT."""

import asyncio
import os
import shutil
import sys
import threading
from collections.abc import Callable, Sequence
from contextlib import closing
from importlib.metadata import version
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import click
import structlog
from sqlalchemy.exc import SQLAlchemyError

from policy.app import build
from policy.cli import welcome
from policy.cli.lazy_group import let_go
from policy.cli.process_setup import end_of_start
from policy.enforcement.gate import PolicyGate
from policy.settings import Settings
from registry.app import RegistryApp
from registry.auth.bootstrap import bootstrap
from registry.auth.bootstrap_file import WantedPrincipal, read_bootstrap
from registry.auth.enrolment import FirstStart, first_start
from registry.cli.data_folder import bootstrap_option
from registry.config.sources import load
from registry.oci.errors import OciError
from registry.server.data_lock import DataLock
from registry.server.malloc import give_back_large_blocks
from registry.server.run import run
from registry.server.startup import CannotStart, bind, certificate_of, prepare_data
from registry.telemetry import logs
from registry.telemetry.audit import command_line_of

_PATH = click.Path(path_type=Path)


@click.command("serve")
@click.option("--config", envvar="BASEGATE_CONFIG", type=_PATH, help="Settings file (YAML).")
@click.option("--data", type=_PATH, help="Folder for everything that is kept; made when absent. Default: data")
@click.option("--listen", metavar="HOST:PORT", help="Where to serve. Default: 127.0.0.1:5000")
@click.option("--tls-cert", type=_PATH, help="PEM certificate chain; serve HTTPS.")
@click.option("--tls-key", type=_PATH, help="PEM private key of the certificate.")
@click.option("--new-database", is_flag=True, help="Begin without rows where content is and its database is lost.")
@bootstrap_option
@click.option("--quiet", envvar="BASEGATE_QUIET", is_flag=True, help="Print only what cannot be shown again.")
def serve_command(
    config: Path | None, bootstrap_file: Path | None, *, quiet: bool, new_database: bool, **flags: Any
) -> None:
    """Serve the registry and its gateway.

    Settings come from --config, the environment (BASEGATE_…) and the flags, in rising order. Exit code 2: it could
    not start, and one line says why.
    """

    def read() -> Settings:
        return load(Settings, config, flags, os.environ)

    wanted = read_bootstrap(bootstrap_file) if bootstrap_file else ()
    _serve(read, [config] if config else [], wanted, quiet=quiet, new_database=new_database)


def _serve(
    read: Callable[[], Settings],
    files: list[Path],
    wanted: Sequence[WantedPrincipal],
    *,
    quiet: bool,
    new_database: bool,
) -> None:
    settings = read()
    logs.configure(settings.log)
    give_back_large_blocks()
    lock = DataLock(prepare_data(settings.data))
    try:
        # Everything that can prevent the start is checked before anything is made.
        certificate_of(settings)
        bind(settings).close()
        with closing(_put_together(settings, new_database=new_database)) as app:
            _bootstrap(app, wanted)
            end_of_start()
            with Greeting(app, quiet=quiet) as greeting:
                run(app, read, files, greeting.greet, greeting.say)
    finally:
        lock.release()


def _put_together(settings: Settings, *, new_database: bool) -> RegistryApp:
    try:
        return build(settings, new_database=new_database)
    except (SQLAlchemyError, OSError) as error:
        raise CannotStart(f"data folder {settings.data} cannot be used: {error}") from None


def _bootstrap(app: RegistryApp, wanted: Sequence[WantedPrincipal]) -> None:
    """Apply the bootstrap file and log the changes, before the first request."""
    days = app.settings.current.auth.secret_days
    try:
        done = asyncio.run(bootstrap(app.services.stores.metadata, wanted, days)) if wanted else ()
    except OciError as error:  # for instance a full disk: the server still serves reads
        _log().error("the principals of the bootstrap file could not be made", reason=error.message)
        return
    for principal, changed in done:
        if not changed:
            continue
        parts = ", ".join(changed)
        _log().warning("principal of the bootstrap file", name=principal.name, role=principal.role, changed=parts)
        if app.audit is not None:
            detail = (
                f"name={principal.name} role={principal.role.value} repositories={','.join(principal.repositories)}"
            )
            app.audit.record(command_line_of("principal.bootstrap", 0, parts, {"detail": detail}))


def _log() -> Any:
    return structlog.get_logger(__name__)


class Greeting:
    """Prints where the server listens, and makes and prints the first principals meanwhile.

    Hashing their secrets takes longer than the rest of a first start; they are printed once they are stored.
    """

    def __init__(self, app: RegistryApp, *, quiet: bool) -> None:
        """Print and make nothing before `greet`. The block ends when that is done; the app is closed after it."""
        self._metadata = app.services.stores.metadata
        self._gate = app.services.gate
        self._settings = app.settings.current
        self._quiet = quiet
        self._enrolment: threading.Thread | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._enrolment is not None:
            self._enrolment.join()

    def greet(self, url: str) -> None:
        """Called by the server once connections are accepted."""
        start = welcome.Start(url, self._settings.data, self._policies())
        self.say(welcome.listening(start))
        _log().info("serving", version=version("basegate"), data=str(start.data.absolute()), policies=start.policies)
        self._enrolment = threading.Thread(target=self._enrol, args=(url,), name="first-principals")
        self._enrolment.start()

    def say(self, words: str) -> None:
        """Print this, unless nothing is wanted but what cannot be shown again."""
        if not self._quiet:
            _say(words)

    def _policies(self) -> str:
        return welcome.in_words(self._gate.bindings.current()) if isinstance(self._gate, PolicyGate) else "none"

    def _enrol(self, url: str) -> None:
        try:
            made = asyncio.run(first_start(self._metadata, self._settings.auth.secret_days))
        except OciError as error:
            _log().error(
                "the first principals could not be made: see to what is wrong, then start again", reason=error.message
            )
        else:
            if made and not _say(_first_words(url, made, quiet=self._quiet)):
                _log().error("the first secrets could not be shown: make new ones with basegate principal rotate")


def _first_words(url: str, made: FirstStart, *, quiet: bool) -> str:
    return welcome.secrets(made) if quiet else welcome.how_to_begin(url, made, _program())


def _program() -> str:
    """The program's name as the person called it."""
    called = Path(sys.argv[0])
    on_path = shutil.which("basegate")
    return "basegate" if on_path and Path(on_path).resolve() == called.resolve() else str(called)


def _say(text: str) -> bool:
    """Whether it could be said; a server that nobody hears goes on."""
    try:
        click.echo(text)
        sys.stdout.flush()
    except OSError:
        let_go()
        return False
    return True

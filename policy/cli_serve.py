"""`basegate serve`: the registry with its gateway, until SIGTERM or SIGINT."""

import asyncio
import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, Self

import click
from sqlalchemy.exc import SQLAlchemyError

from policy import first_words
from policy.app import build
from policy.policies import PolicyRefused
from policy.settings import Settings
from policy.standing import StandingOrdersRefused
from registry import logs
from registry.app import RegistryApp
from registry.auth.enrolment import FirstStart, first_start
from registry.auth.signing_key import SigningKeyUnusable
from registry.server.data_lock import DataLock
from registry.server.run import run
from registry.server.startup import CannotStart, bind, certificate_of, prepare_data
from registry.settings_sources import SettingsError, load

CANNOT_START = 2
_PATH = click.Path(path_type=Path)


@click.command("serve")
@click.option("--config", envvar="BASEGATE_CONFIG", type=_PATH, help="Settings file (YAML).")
@click.option("--data", type=_PATH, help="Folder for everything that is kept; made when absent. Default: data")
@click.option("--listen", metavar="HOST:PORT", help="Where to serve. Default: 127.0.0.1:5000")
@click.option("--tls-cert", type=_PATH, help="PEM certificate chain; serve HTTPS.")
@click.option("--tls-key", type=_PATH, help="PEM private key of the certificate.")
@click.option("--quiet", envvar="BASEGATE_QUIET", is_flag=True, help="Print only what cannot be shown again.")
def serve_command(config: Path | None, *, quiet: bool, **flags: Any) -> None:
    """Serve the registry and its gateway.

    Settings come from --config, the environment (BASEGATE_…) and the flags, in rising order. Exit code 2: it could
    not start, and one line says why.
    """

    def read() -> Settings:
        return load(Settings, config, flags, os.environ)

    try:
        _serve(read, [config] if config else [], quiet=quiet)
    except (CannotStart, SettingsError) as error:
        click.echo(f"basegate: {' '.join(str(error).split())}", err=True)
        sys.exit(CANNOT_START)


def _serve(read: Callable[[], Settings], files: list[Path], *, quiet: bool) -> None:
    settings = read()
    logs.configure(settings.log)
    lock = DataLock(prepare_data(settings.data))
    try:
        # What can refuse the start is tried before the first secrets are made, which are seen only once.
        certificate_of(settings)
        bind(settings).close()
        app = _put_together(settings)
        with Greeting(app, quiet=quiet) as greeting:
            run(app, read, files, greeting.greet)
    finally:
        lock.release()


def _put_together(settings: Settings) -> RegistryApp:
    try:
        return build(settings)
    except (SigningKeyUnusable, PolicyRefused, StandingOrdersRefused, RuntimeError) as error:
        raise CannotStart(str(error)) from None
    except (SQLAlchemyError, OSError) as error:
        raise CannotStart(f"data folder {settings.data} cannot be used: {error}") from None


class Greeting:
    """Makes the first principals, and shows them once the URL is known; in any case before the command ends."""

    def __init__(self, app: RegistryApp, *, quiet: bool) -> None:
        self._data = app.settings.current.data
        self._quiet = quiet
        self._made = asyncio.run(first_start(app.rooms.stores.metadata, app.settings.current.auth.secret_days))

    def greet(self, url: str) -> None:
        """Told by the server that connections are accepted."""
        if not self._quiet:
            _say(first_words.listening(url, self._data))
        if self._made:
            _say(_first_words(url, self._made, quiet=self._quiet))
            self._made = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        if self._made:
            _say(first_words.secrets(self._made))


def _first_words(url: str, made: FirstStart, *, quiet: bool) -> str:
    return first_words.secrets(made) if quiet else first_words.how_to_begin(url, made, _program())


def _program() -> str:
    """How the person called this command."""
    called = Path(sys.argv[0])
    found = shutil.which("basegate")
    return "basegate" if found and Path(found).resolve() == called.resolve() else str(called)


def _say(text: str) -> None:
    click.echo(text)
    sys.stdout.flush()

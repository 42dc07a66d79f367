"""Where a command works: the data folder of `--data`, or the server at HOST:PORT, the first word.

A command that is `placed` gets a place, and does its acts there; it does not ask which kind it is.
"""

import asyncio
import json
import os
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, nullcontext
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

import click

from registry.administration.act import DONE, RUNNING, RUNS, Act, Holdings
from registry.cli.command_audit import recorded
from registry.cli.data_folder import (
    config_option,
    folder_named,
    log_to_stderr,
    place_folder_option,
    require_registry,
    settings_of,
)
from registry.cli.progress import ProgressBar
from registry.config.settings import RegistrySettings, SettingsInForce
from registry.content.opened_stores import open_stores_of
from registry.content.progress import Tell
from registry.errors import BasegateError
from registry.metadata.store import RowStore
from registry.oci.errors import OciError
from registry.oci.image_reference import ImageReference, split_host
from registry.oci.names import RepositoryName
from registry.storage.blob_store import MaintainedStore

if TYPE_CHECKING:
    from registry.registry_client.administration import AdministrationClient

T = TypeVar("T")
F = TypeVar("F", bound=Callable[..., Any])

_PAUSE_SECONDS = 0.5
_CONNECTION = ("username", "password", "password_stdin", "ca_file", "timeout")


class Place(Protocol):
    """Where acts are done."""

    def do(self, act: Act) -> Any:
        """The document that the act gives. Raises BasegateError when it cannot be done."""

    def close(self) -> None:
        """Let go of it, at the end of the command."""


@dataclass(frozen=True, slots=True)
class OpenFolder:
    """The stores of a data folder, and the settings that count for it."""

    storage: MaintainedStore
    metadata: RowStore
    settings: SettingsInForce[RegistrySettings]
    tell: Tell
    made: dict[Callable[[Holdings], Any], Any]
    opened: ExitStack

    def once(self, make: Callable[[Holdings], T], close: Callable[[T], None]) -> T:
        """What `make` makes of this, the same for all acts until the folder is closed."""
        if make not in self.made:
            made = self.made[make] = make(self)
            self.opened.callback(close, made)
        found: T = self.made[make]
        return found


class Folder:
    """A data folder of this machine; a server may run over it. It is opened with the first act, until it is closed.

    Args:
        settings: its settings.
    """

    def __init__(self, settings: RegistrySettings) -> None:
        self._settings = settings
        self._opened = ExitStack()
        self._made: dict[Callable[[Holdings], Any], Any] = {}
        self._stores: tuple[MaintainedStore, RowStore, asyncio.Runner] | None = None

    def do(self, act: Act) -> Any:
        """Do the act in the folder. Raises NoRegistry when there is none, and what the act raises."""
        storage, metadata, runner = self._stores or self._open()
        with ProgressBar() as bar:

            async def work() -> Any:
                settings = SettingsInForce(self._settings)
                return await act.here(OpenFolder(storage, metadata, settings, bar.tell, self._made, self._opened))

            # As it would come from a server.
            return json.loads(json.dumps(runner.run(work())))

    def close(self) -> None:
        """Let go of it."""
        self._stores = None
        self._made.clear()
        self._opened.close()

    def _open(self) -> tuple[MaintainedStore, RowStore, asyncio.Runner]:
        log_to_stderr()
        data, group = self._settings.data, self._settings.storage
        require_registry(data)
        pool = self._opened.enter_context(ThreadPoolExecutor(group.threads))
        storage, metadata = open_stores_of(self._settings, pool)
        self._opened.callback(metadata.close)
        self._stores = storage, metadata, self._opened.enter_context(asyncio.Runner())
        return self._stores


class Server:
    """A server that is asked over HTTP.

    Args:
        address: HOST:PORT.
        options: what was given on the command line on how to reach it.
    """

    def __init__(self, address: str, options: dict[str, Any]) -> None:
        self._address = address
        self._options = options
        self._client: AdministrationClient | None = None

    def do(self, act: Act) -> Any:
        """Ask the server for the act. Raises what `AdministrationClient` does."""
        client = self._client = self._client or self._signed_in()
        answer = client.ask(act.method, act.path, act.query, act.body)
        return _ended(client, answer) if act.is_run else answer

    def close(self) -> None:
        """Nothing is kept open."""

    def _signed_in(self) -> "AdministrationClient":
        from registry.registry_client.administration import AdministrationClient  # noqa: PLC0415 - slow to import
        from registry.registry_client.credentials import Credentials  # noqa: PLC0415

        given = self._options
        login = None
        if given["username"]:
            login = Credentials(given["username"], given["password"], "the command line")
        return AdministrationClient.to(
            self._address, login, os.environ, Path.home(), given["ca_file"], given["timeout"]
        )


def _ended(client: "AdministrationClient", run: dict[str, Any]) -> Any:
    """The result of a run; waits for its end. Raises Refused when it has failed."""
    with ProgressBar() as bar:
        while run["state"] == RUNNING:
            bar.tell(*run["progress"].values())
            time.sleep(_PAUSE_SECONDS)
            run = client.ask("GET", f"{RUNS}/{run['run']}")
    if run["state"] != DONE:
        raise RunFailed(run["error"])
    return run["result"]


class RunFailed(BasegateError):
    """Long work on a server has failed; the message is the server's."""


@dataclass(frozen=True, slots=True)
class Word:
    """An argument of a placed command.

    Attributes:
        name: of the parameter.
        metavar: in the help.
        parse: makes a value of the text; what it raises is an error of usage.
        in_registry: whether `HOST:PORT/` may stand before it, and names the server.
    """

    name: str
    metavar: str
    parse: Callable[[str], Any] = str
    in_registry: bool = False


class Words(click.Argument):
    """The arguments of a placed command, HOST:PORT before them where a server is meant."""

    def __init__(self, wanted: Sequence[Word]) -> None:
        self.wanted = tuple(wanted)
        shown = " ".join(word.metavar for word in wanted)
        super().__init__(["words"], nargs=-1, metavar=f"[HOST:PORT] {shown}".strip())


REPOSITORY = Word("repository", "NAME", RepositoryName.parse, in_registry=True)
IMAGE = Word("image", "NAME[:TAG|@DIGEST]", ImageReference.parse_local, in_registry=True)
"""The notation of images everywhere: NAME alone is NAME:latest."""


def placed(*wanted: Word, action: str = "") -> Callable[[F], F]:
    """Give a command its `place`, and a value for each word; it gets its own options by name.

    Args:
        wanted: the words behind HOST:PORT.
        action: of a command that changes something: its word in the audit log of a data folder. A server has a line of
            its own for each request.
    """

    def decorate(command: F) -> F:
        @wraps(command)
        def run(words: tuple[str, ...], **given: Any) -> Any:
            context = click.get_current_context()
            options = {name: given.pop(name) for name in _CONNECTION}
            server, values = _understood(context, wanted, words)
            named = {word.name: value for word, value in zip(wanted, values, strict=True)}
            context.params = named | given
            place = _server(context, server, options) if server else Folder(settings_of(context))
            audit = recorded(context, action) if action and not server else nullcontext()
            with closing(place), audit:
                return command(place, *values, **given)

        for option in reversed(_OPTIONS):
            run = option(run)
        _add(run, Words(wanted))
        return run  # type: ignore[return-value]

    return decorate


def entries(place: Place, ask: Callable[[str], Act], kind: str) -> Iterator[Any]:
    """All entries of a list that comes in pages: `ask` is given what the page begins behind."""
    after = ""
    while True:
        page = place.do(ask(after))
        yield from page[kind]
        after = page["next"]
        if not after:
            return


class NotConfirmed(BasegateError):
    """Something would be destroyed, and nobody can be asked."""


def confirm(question: str, *, yes: bool) -> None:
    """Ask on the terminal; anything but yes ends the command.

    Raises:
        NotConfirmed: there is no terminal.
    """
    if yes:
        return
    if sys.stdin is None or not sys.stdin.isatty():
        raise NotConfirmed(f"{question} Nobody can be asked here: nothing was done, give --yes to have it done")
    click.confirm(question, abort=True, err=True)


_OPTIONS = (
    place_folder_option,
    config_option,
    click.option("-u", "--username", envvar="BASEGATE_USERNAME", default="", help="Sign in to HOST:PORT as."),
    click.option("-p", "--password", envvar="BASEGATE_PASSWORD", default="", help="Better: --password-stdin."),
    click.option("--password-stdin", is_flag=True, help="Read the secret from standard input."),
    click.option("--ca-file", envvar="BASEGATE_CA_FILE", type=click.Path(path_type=Path), help="Trust this CA (PEM)."),
    click.option("--timeout", default=60.0, show_default=True, help="Seconds to wait for any one step."),
)


def _add(command: Callable[..., Any], argument: Words) -> None:
    """As click.argument does, which makes its arguments itself."""
    parameters: list[click.Parameter] = command.__dict__.setdefault("__click_params__", [])
    parameters.append(argument)


def _understood(context: click.Context, wanted: Sequence[Word], words: Sequence[str]) -> tuple[str, list[Any]]:
    """The server, or "", and the value of each word."""
    if len(words) < len(wanted):
        raise click.UsageError(f"Missing argument '{wanted[len(words)].metavar}'.", context)
    if len(words) > len(wanted) + 1:
        raise click.UsageError(f"Got unexpected extra argument ({words[len(wanted) + 1]})", context)
    server, texts = (words[0], list(words[1:])) if len(words) > len(wanted) else ("", list(words))
    for index, word in enumerate(wanted):
        if word.in_registry and not (folder_named(context) and not server):
            host, rest = split_host(texts[index])
            if host and host == (server.lower() or host):
                server, texts[index] = server or host, rest
    if server and folder_named(context):
        raise click.UsageError(f"both {server} and a data folder are named: give HOST:PORT or --data", context)
    return server, [_value(context, word, text) for word, text in zip(wanted, texts, strict=True)]


def _value(context: click.Context, word: Word, text: str) -> Any:
    try:
        return word.parse(text)
    except OciError as error:
        raise click.BadParameter(error.message, context, param_hint=word.metavar) from error
    except BasegateError as error:
        raise click.BadParameter(str(error), context, param_hint=word.metavar) from error


def _server(context: click.Context, address: str, options: dict[str, Any]) -> Server:
    if options["password_stdin"] and options["password"]:
        raise click.UsageError("give --password or --password-stdin, one of the two", context)
    if (options["password_stdin"] or options["password"]) and not options["username"]:
        raise click.UsageError("whose secret is it? give --username too", context)
    secret = sys.stdin.readline().rstrip("\r\n") if options["password_stdin"] else options["password"]
    return Server(address, options | {"password": secret})

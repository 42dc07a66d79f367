"""`basegate init`: make a new registry in a data folder."""

import asyncio
import shlex
from collections.abc import Iterator
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path

import click

from policy.cli import welcome
from policy.deployments.receipt_key import RECEIPT_KEY_FILE
from policy.signing.key_ring import VERDICT_KEY_FILE
from registry.auth.bootstrap import bootstrap
from registry.auth.bootstrap_file import WantedPrincipal, read_bootstrap
from registry.auth.enrolment import FirstStart, first_start
from registry.auth.signing_key import KEY_FILE, signing_key
from registry.cli.command_audit import audited
from registry.cli.data_folder import bootstrap_option, data_option, file_named, log_to_stderr, settings_of
from registry.cli.output import json_option, print_json
from registry.config.settings import RegistrySettings
from registry.content.opened_stores import open_stores_of
from registry.content.small_blob_journal import open_stores
from registry.errors import BasegateError
from registry.metadata import principals
from registry.metadata.elsewhere import marked
from registry.metadata.open_store import FILE_NAME
from registry.metadata.store import MetadataStore, RowStore
from registry.server.data_lock import DataLock
from registry.server.startup import prepare_data
from registry.storage.disk.ownership import act_as_owner

_KEYS = (KEY_FILE, VERDICT_KEY_FILE, RECEIPT_KEY_FILE)
"""All of them at once: who copies them to another node copies all."""


class RegistryThere(BasegateError):
    """The data folder has a registry already."""


@click.command("init")
@bootstrap_option
@data_option
@json_option
@audited("init")
def init_command(bootstrap_file: Path | None, data: Path, *, as_json: bool) -> None:
    """Make a new registry in the data folder, with its first principals.

    They are those of --bootstrap-file, or else `admin` (Owner) and `reader` (AcrPull), whose secrets are shown this
    once. Exit code 2: nothing was made, as where there is a registry already.
    """
    wanted = read_bootstrap(bootstrap_file) if bootstrap_file else ()
    context = click.get_current_context()
    settings = settings_of(context)
    log_to_stderr()
    with _new(settings) as metadata:
        made = asyncio.run(_principals(metadata, wanted, settings.auth.secret_days))
    if as_json:
        print_json({"data": str(data), "principals": _documents(made, wanted)})
        return
    config = file_named(context)
    start = ["basegate", "serve", *(["--config", str(config)] if config else []), "--data", str(data)]
    click.echo(f"made a registry in {data}; start it with: {shlex.join(start)}")
    if made is not None:
        click.echo(welcome.secrets(made))


@contextmanager
def _new(settings: RegistrySettings) -> Iterator[MetadataStore]:
    """The metadata of the new registry."""
    data = settings.data
    act_as_owner(data)
    if (data / FILE_NAME).exists() or marked(data):
        raise RegistryThere(f"there is a registry in {data} already: start it with `basegate serve --data {data}`")
    lock = DataLock(prepare_data(data))
    try:
        with ThreadPoolExecutor(1) as pool:
            metadata = _opened(settings, pool)
            with closing(metadata):
                _require_nobody(metadata, data)
                for file in _KEYS:
                    signing_key(data, file)
                yield metadata
    finally:
        lock.release()


def _opened(settings: RegistrySettings, pool: Executor) -> RowStore:
    """Whatever blobs there will be, files or objects, goes with rows in a file; those of a database tell which."""
    return (open_stores_of(settings, pool) if settings.metadata.url else open_stores(settings.data, pool))[1]


def _require_nobody(metadata: RowStore, data: Path) -> None:
    if metadata.read_now(principals.exists_any):
        raise RegistryThere(
            "there is a registry in the database of metadata.url already: another node joins it with "
            f"`basegate serve --data {data}`"
        )


async def _principals(metadata: MetadataStore, wanted: tuple[WantedPrincipal, ...], days: float) -> FirstStart | None:
    if not wanted:
        return await first_start(metadata, days)
    await bootstrap(metadata, wanted, days)
    return None


def _documents(made: FirstStart | None, wanted: tuple[WantedPrincipal, ...]) -> list[dict[str, object]]:
    """The new principals as documents; without the secrets for those of a bootstrap file."""
    if made is not None:
        return [made.admin.as_document(), made.reader.as_document()]
    return [{"name": item.name, "role": item.role, "repositories": list(item.repositories)} for item in wanted]

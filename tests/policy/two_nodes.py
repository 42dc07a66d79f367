"""Two nodes over one PostgreSQL database and one object store."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from policy.app import build
from policy.settings import Settings
from tests.policy.live import LiveGateway, live_gateway
from tests.postgres import PostgresServer
from tests.registry.storage.object_servers import moto
from tests.servers import quiet, running


class Nodes(NamedTuple):
    """Two servers; the second was started when the first had made the tables and the principals."""

    first: LiveGateway
    second: LiveGateway


@contextmanager
def two_nodes(postgres: PostgresServer, folder: Path, **metadata: Any) -> Iterator[Nodes]:
    """Each with a data folder of its own; the keys of tokens are the same. `metadata`: settings of that group."""
    groups: dict[str, Any] = {"storage": moto().settings(folder / "keys"), "metadata": postgres.settings(**metadata)}
    with live_gateway(folder / "first", **groups) as first:
        shutil.copytree(folder / "first" / "keys", folder / "second" / "keys")
        settings = Settings.model_validate(quiet(folder / "second", **groups))
        with running(build(settings)) as live:
            yield Nodes(first, LiveGateway(live, first.secrets))

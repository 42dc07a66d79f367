"""The registry served without its policy: nothing is inspected and nothing judged; what that costs shows beside it.

`python -m tests.bench.registry_alone serve --data FOLDER --listen HOST:PORT`
"""

import os
from contextlib import closing
from pathlib import Path

import click

from policy.cli.serve import Greeting
from registry.app import build
from registry.config.settings import RegistrySettings
from registry.config.sources import load
from registry.server.data_lock import DataLock
from registry.server.run import run
from registry.server.startup import prepare_data


@click.group()
def main() -> None:
    """The registry alone."""


@main.command()
@click.option("--data", type=click.Path(path_type=Path), required=True)
@click.option("--listen", required=True)
def serve(data: Path, listen: str) -> None:
    """Serve until SIGTERM, with every setting of the registry as it is by default."""

    def read() -> RegistrySettings:
        return load(RegistrySettings, None, {"data": data, "listen": listen}, os.environ)

    settings = read()
    lock = DataLock(prepare_data(settings.data))
    try:
        with closing(build(settings)) as app, Greeting(app, quiet=False) as greeting:
            run(app, read, [], greeting.greet)
    finally:
        lock.release()


if __name__ == "__main__":
    main()

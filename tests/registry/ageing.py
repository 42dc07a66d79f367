"""Making what a registry holds look older than it is."""

import os
from pathlib import Path

from sqlalchemy import Connection, update

from registry.metadata.tables import manifests, repository_blobs
from tests.registry.open_services import OpenServices

HOUR = 3600.0


def age(services: OpenServices, seconds: float = 48 * HOUR) -> None:
    """Everything recorded or stored so far happened so long ago."""
    services.run(services.metadata.write(age_rows, seconds))
    for path in [*services.data.glob("blobs/*/*/*"), *services.data.glob("uploads/*/data")]:
        age_file(path, seconds)


def age_file(path: Path, seconds: float = 48 * HOUR) -> None:
    """One file was written so long ago."""
    time = path.stat().st_mtime - seconds
    os.utime(path, (time, time))


def age_rows(connection: Connection, seconds: float) -> None:
    """Every blob and manifest was recorded so long ago."""
    connection.execute(update(repository_blobs).values(created=repository_blobs.c.created - seconds))
    connection.execute(update(manifests).values(pushed=manifests.c.pushed - seconds))

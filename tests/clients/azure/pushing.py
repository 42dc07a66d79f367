"""Puts images into a live cloud, for az to show."""

from pathlib import Path

from tests.clients.azure.az import Cloud
from tests.clients.layouts import Layout
from tests.clients.trees import cleared_image, refused_image
from tests.policy.cli.transfers import run


def login(cloud: Cloud) -> tuple[str, ...]:
    """The flags that sign in as the owner."""
    return ("--username", cloud.owner.username, "--password", cloud.owner.password, "--ca-file", str(cloud.ca))


def pushed(cloud: Cloud, folder: Path, name: str, *, cleared: bool = True) -> str:
    """Push `REPOSITORY:TAG`; its digest."""
    repository, _, tag = name.partition(":")
    layout = Layout(folder / tag)
    digest = layout.add(tag, cleared_image() if cleared else refused_image())
    done = run("import", str(layout.folder), f"{cloud.host}/{repository}", *login(cloud))
    assert done.exit_code == 0, done.output
    return digest

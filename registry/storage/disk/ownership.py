"""Whose a data folder is: a command of root's works on it as its owner, so that no file in it becomes root's."""

import os
import stat
from collections.abc import Iterator
from pathlib import Path


def act_as_owner(data: Path) -> None:
    """From here on, be the owner of a data folder, when this process is root's and the folder is not."""
    if os.geteuid() != 0 or not data.is_dir():
        return
    owner = data.stat()
    if owner.st_uid != 0:
        os.setgroups([])
        os.setegid(owner.st_gid)
        os.seteuid(owner.st_uid)


def give_to_owner(folder: Path, data: Path) -> None:
    """Make a folder beside a data folder that belongs to the same owner; one that is there stays as it is."""
    if folder.exists():
        return
    folder.mkdir(mode=0o700, parents=True)
    owner = data.stat()
    if os.geteuid() == 0:
        os.chown(folder, owner.st_uid, owner.st_gid)


def cautions_on(data: Path) -> Iterator[str]:
    """What is risky about a data folder that is there: one sentence each, with the way out."""
    if not data.is_dir():
        return
    found = data.stat()
    if stat.S_IMODE(found.st_mode) & 0o077:
        yield (
            f"the data folder {data} has mode {stat.S_IMODE(found.st_mode):04o}: other users of this machine can read "
            f"what is stored: run chmod 700 {data}"
        )
    if os.geteuid() == 0 and found.st_uid != 0:
        yield (
            f"the data folder {data} belongs to user {found.st_uid} and the server runs as root: it leaves files there "
            "that the owner cannot use: start it as that user"
        )

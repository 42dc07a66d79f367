"""Whose a data folder is: a command of root's works on it as its owner, so that no file in it becomes root's."""

import codecs
import encodings
import importlib
import os
import pkgutil
import stat
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

_PACKAGES = ("registry", "policy")
_NOT_FOR_COMMANDS = (".testing", "__main__")
"""Modules that are run, or need what only a test has."""
_OF_OTHERS = ("certifi", "jwt", "rich.console", "rich.progress", "structlog", "yaml")
"""What is imported within functions of commands, since it is slow."""
_OF_EXTRAS = ("psycopg",)
"""Likewise; not a part of every installation."""


def act_as_owner(data: Path) -> None:
    """From here on, be the owner of a data folder, when this process is root's and the folder is not."""
    if os.geteuid() != 0 or not data.is_dir():
        return
    owner = data.stat()
    if owner.st_uid != 0:
        _import_all()
        os.setgroups([])
        os.setegid(owner.st_gid)
        os.seteuid(owner.st_uid)


def _import_all() -> None:
    """Import what commands import when they use it: the owner may not read the folder that the code is in (/root)."""
    for package in _PACKAGES:
        if package in sys.modules:
            _import_below(package)
    for name in _OF_OTHERS:
        importlib.import_module(name)
    for name in _OF_EXTRAS:
        with suppress(ImportError):
            importlib.import_module(name)
    for codec in pkgutil.iter_modules(encodings.__path__):
        with suppress(LookupError):  # of another system
            codecs.lookup(codec.name)


def _import_below(package: str) -> None:
    for module in pkgutil.iter_modules(sys.modules[package].__path__, f"{package}."):
        if module.name.endswith(_NOT_FOR_COMMANDS):
            continue
        with suppress(ImportError):  # of an extra that is not installed
            importlib.import_module(module.name)
            if module.ispkg:
                _import_below(module.name)


def acting() -> str:
    """Whose rights count, for a sentence about a refusal of the system; "" when they are those of who runs this."""
    if os.geteuid() == os.getuid():
        return ""
    return f" to user {os.geteuid()}, whose data folder it is"


def give_to_owner(folder: Path, data: Path) -> None:
    """Make a folder beside a data folder that belongs to the same owner; one that is there stays as it is."""
    if folder.exists():
        return
    folder.mkdir(mode=0o700, parents=True)
    give_all(folder, data.stat())


def give_all(folder: Path, owner: os.stat_result) -> None:
    """Give a folder, and what is in it, to the owner of something else, when this process is root's."""
    if os.geteuid() == 0:
        for path in (folder, *folder.rglob("*")):
            os.chown(path, owner.st_uid, owner.st_gid, follow_symlinks=False)


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

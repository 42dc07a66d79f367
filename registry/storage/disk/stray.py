"""What stands in the place of a file or folder of ours and is none: it is moved away, and a push heals the place."""

import stat
import uuid
from collections.abc import Callable
from pathlib import Path

import structlog


def is_file(path: Path) -> bool:
    """Whether a file of ours is there: a link, a folder, a pipe or a device is none, and is never opened."""
    try:
        return stat.S_ISREG(path.lstat().st_mode)
    except (FileNotFoundError, NotADirectoryError):
        return False


def clear_place(place: Path, quarantine: Path) -> bool:
    """Move what is no file away from the place of a blob (blocking); whether there was such a thing.

    It is kept in `quarantine/` under the name that it had and one of its own: whoever put it there may want it back.
    """
    return _move(place, quarantine, stat.S_ISREG)


def clear_folder(place: Path, quarantine: Path) -> bool:
    """The same for what is no folder in the place of one."""
    return _move(place, quarantine, stat.S_ISDIR)


def _move(place: Path, quarantine: Path, belongs: Callable[[int], bool]) -> bool:
    try:
        if belongs(place.lstat().st_mode):
            return False
        aside = quarantine / f"{place.name}.{uuid.uuid4()}"
        place.rename(aside)
    except FileNotFoundError:
        return False
    if belongs(aside.lstat().st_mode):
        aside.rename(place)  # a push has put a whole file there meanwhile
        return False
    structlog.get_logger(__name__).error("what stood in the place of content was moved away", place=place, to=aside)
    return True

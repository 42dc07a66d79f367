"""Whether a database's files are still those that are open: a commit to a file without a name is lost.

No file is opened here. Closing any descriptor of a database would let go of the locks that SQLite holds on it in the
same process (https://www.sqlite.org/howtocorrupt.html, section 2.2).
"""

import os
import sqlite3
from contextlib import closing
from pathlib import Path

_SIDE_FILES = ("-wal", "-shm")


class DatabaseWatch:
    """Looks at the files of one open database. Safe to use from any thread.

    Args:
        path: the database; open, and open until this is used no more.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._files = [str(path), *(f"{path}{ending}" for ending in _SIDE_FILES)]
        self._inodes: dict[str, int] = {}
        self._size = 0
        self._damage = ""

    def damaged(self, reason: str) -> None:
        """SQLite found the database to be damaged: it is not written any more, until all of it was read and is sound.

        A disk that could not be read for a moment looks the same: SQLite tells of EIO as of a malformed page.
        """
        if not self._damage:
            self._damage = f"the database {self._path.name} is damaged ({reason}): stop the server, then {_FIX}"

    def sound(self) -> None:
        """All of the database was read anew, and is sound: what was found before was a passing cause."""
        self._damage = ""

    @property
    def damage(self) -> str:
        """What was found to be damaged, as a sentence; "" when nothing was."""
        return self._damage

    def problem(self) -> str:
        """What is wrong with the files, as a sentence; "" when they are what they were. Costs three stats."""
        for file in self._files:
            try:
                found = os.stat(file)  # noqa: PTH116  a Path for each commit costs more than the call
            except OSError:
                if file in self._inodes or file == self._files[0]:
                    return f"the database file {os.path.basename(file)} is gone: stop the server, then {_FIX}"  # noqa: PTH119
                continue
            if self._inodes.setdefault(file, found.st_ino) != found.st_ino:
                return f"the database file {os.path.basename(file)} was replaced: stop the server, then {_FIX}"  # noqa: PTH119
            if file == self._files[0]:
                if found.st_size < self._size:
                    return f"the database file {self._path.name} was cut: stop the server, then {_FIX}"
                self._size = found.st_size
        return self._damage

    def look_inside(self) -> str:
        """`problem`, or that the file is no database any more; opens it anew, so that memory does not answer."""
        found = self.problem()
        if found:
            return found
        try:
            with closing(sqlite3.connect(self._path, timeout=5.0)) as fresh:
                fresh.execute("SELECT count(*) FROM alembic_version").fetchone()
        except sqlite3.OperationalError as error:
            if "locked" in str(error):
                return ""
            self.damaged(str(error))
        except sqlite3.DatabaseError as error:
            self.damaged(str(error))
        return self._damage


_FIX = "put a backup back with `basegate restore` or run `basegate rebuild`"

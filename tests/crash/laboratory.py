"""Has everything that trials need: the process that starts processes, and a data folder to begin with."""

import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.crash.acknowledged import Acknowledged
from tests.crash.caller import SMALL
from tests.crash.launcher import Launcher
from tests.crash.notes import Change, read_notes
from tests.crash.paths import PATHS
from tests.crash.points import START, STOP, Length, Point
from tests.crash.site import Site
from tests.crash.trial import REPOSITORY, Outcome, Trial

_ENDLESS = Length(1 << 30, 0)
# The stop of a server that has done little.
_STOP = Length(40, 20, 10)


class Laboratory:
    """For one thread.

    Args:
        folder: where folders are made.
        mutant: a fault that is put into the product.
    """

    def __init__(self, folder: Path, mutant: str = "") -> None:
        self._folder = folder
        self._mutant = mutant
        self._launcher = Launcher()
        self._number = 0
        self._template = folder / "template"
        self._known = self._made()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._launcher.close()

    def _made(self) -> Acknowledged:
        self._template.mkdir(parents=True)
        site = Site(self._template, self._launcher)
        site.start()
        caller = site.caller(REPOSITORY)
        caller.image("first")
        caller.blob(caller.content(SMALL))
        while "AcrPull" not in site.words:  # the first principals are made after the server listens
            caller.wire.ask("GET", "/v2/")
        site.stop()
        return site.known

    @contextmanager
    def site(self) -> Iterator[Site]:
        """A new folder that holds an image; its server is not started."""
        self._number += 1
        folder = self._folder / str(self._number)
        shutil.copytree(self._template / "root", folder / "root")
        site = Site(folder, self._launcher, self._mutant)
        site.known = self._known.copy()
        try:
            yield site
        finally:
            site.remove()

    def lengths(self) -> dict[str, Length]:
        """How many calls each write path makes when nothing happens to it."""
        with self.site() as site:
            site.control.note(on=True)
            site.start()
            found = {START: _length(site)}
            for path in [*PATHS, *PATHS]:  # twice: what the server does by itself at times does not count
                caller = site.caller(REPOSITORY)
                prepared = path.prepare(site, caller)
                site.control.note(on=True)
                path.act(site, caller, prepared)
                found[path.name] = min(_length(site), found.get(path.name, _ENDLESS), key=lambda one: one.changes)
            site.control.note(on=True)
            site.stop()
            return {**found, STOP: min(_length(site), _STOP, key=lambda one: one.changes)}

    def run(self, points: Sequence[Point]) -> list[Outcome]:
        """One point after the other in one folder."""
        with self.site() as site:
            return Trial(site).run(points)


def _length(site: Site) -> Length:
    made = [note.change for note in read_notes(site.control.notes) if note.change is not Change.MODE]
    syncs = sum(change in {Change.SYNC, Change.SYNC_ALL} for change in made)
    return Length(len(made), made.count(Change.WRITE), syncs)

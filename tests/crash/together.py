"""Much at once: three clients push, mount, move and delete, and a command collects, scrubs or backs up beside them."""

import random
import threading
from collections.abc import Callable
from contextlib import suppress

from tests.crash.caller import CONFIG, LARGE, SMALL, Caller
from tests.crash.paths import CommandKilled, back_up, collect, scrub
from tests.crash.site import Site
from tests.crash.wire import CutOff, Silent

_CLIENTS = ("crash/one", "crash/two", "crash/three")
_STEPS = 4


class Together:
    """Work on one site until the fault comes, or all is done."""

    def __init__(self, site: Site, seed: int) -> None:
        self._site = site
        self._callers = [site.caller(name) for name in _CLIENTS]
        self._seed = seed
        self.refusals: list[str] = []

    def run(self) -> None:
        """Return when nobody works any more."""
        chance = random.Random(self._seed)  # noqa: S311
        beside = chance.choice((collect, scrub, back_up, None))
        threads = [
            threading.Thread(target=self._work, args=(caller, chance.randrange(1 << 30))) for caller in self._callers
        ]
        for thread in threads:
            thread.start()
        if beside is not None:
            with suppress(CommandKilled):
                beside(self._site)
        for thread in threads:
            thread.join()
        for caller in self._callers:
            # What was collected meanwhile is unknown to whoever relies on it, and told so.
            allowed = {400, 404} if beside is collect else set()
            self.refusals += [
                f"{method} {path}: {answer.status} {answer.body[:200]!r}"
                for method, path, answer in caller.refusals
                if answer.status not in allowed
            ]

    def _work(self, caller: Caller, seed: int) -> None:
        chance = random.Random(seed)  # noqa: S311
        try:
            for _ in range(_STEPS):
                chance.choice(_WORK)(caller, chance)
        except CutOff:
            return
        except Silent as error:
            self.refusals.append(str(error))


def _push(caller: Caller, chance: random.Random) -> None:
    caller.image(chance.choice(("a", "b", "c", "")), chance.choice((SMALL, LARGE)))


def _refer(caller: Caller, chance: random.Random) -> None:
    subject = caller.image()
    caller.manifest(caller.document(subject=subject))


def _mount(caller: Caller, chance: random.Random) -> None:
    others = [key for key in caller.known.certain("blob") if key[1] != caller.repository]
    if others:
        _, source, digest = chance.choice(sorted(others))
        caller.mount(digest, source)


def _move(caller: Caller, chance: random.Random) -> None:
    caller.blob(CONFIG)
    caller.manifest(caller.document(), chance.choice(("a", "b")))


def _delete(caller: Caller, chance: random.Random) -> None:
    kind = chance.choice(("tag", "manifest"))
    found = sorted(caller.known.certain(kind, caller.repository))
    if found:
        remove = caller.delete_tag if kind == "tag" else caller.delete_manifest
        remove(chance.choice(found)[2])


_WORK: tuple[Callable[[Caller, random.Random], None], ...] = (_push, _push, _refer, _mount, _move, _delete)

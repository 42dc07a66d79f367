"""The rule: what basegate clears is what runtimes start, and what it does not clear reaches no reader."""

import itertools
import re
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Self

import httpx

from tests.installation import Account
from tests.policy.live import LiveGateway
from tests.runtime.images import Image, base, image
from tests.runtime.question import Facts, script
from tests.runtime.reader import Answer, Reader
from tests.runtime.ruling import (
    CLEARED,
    INCONCLUSIVE,
    NOT_APPLICABLE,
    NOT_TAKEN,
    REFUSED,
    WITHHELD,
    Ruling,
)

_BASE = "base"
_TAG = "v1"
_BULK = 25
"""Images are removed from the runtimes in bulk, this many at a time."""


@dataclass(frozen=True)
class Trial:
    """One image, what basegate says of it, what each runtime makes of it.

    Attributes:
        name: how it is called in a message.
        image: the image.
        ruling: basegate's word.
        answers: the runtimes', by name; none for an image that they were not asked about.
        leaks: what a reader got of an image that is withheld, or did not get of one that is cleared.
    """

    name: str
    image: Image
    ruling: Ruling
    answers: Mapping[str, Answer]
    leaks: tuple[str, ...]

    @property
    def shown(self) -> dict[str, Facts]:
        """What the runtimes that started the image showed."""
        return {name: answer.facts for name, answer in self.answers.items() if answer.facts is not None}

    def disagreements(self) -> list[str]:
        """Where the rule is broken, a sentence each."""
        found = list(self.leaks)
        if self.ruling.state == NOT_APPLICABLE:
            found += [f"{name} starts what basegate takes for no image" for name in self.shown]
        if self.ruling.state in {CLEARED, REFUSED}:
            for name, facts in self.shown.items():
                found += [f"{name} shows {wrong}" for wrong in differences(self.ruling.facts, facts)]
        if self.ruling.state == CLEARED:
            told = self.ruling.facts.os.lower()
            read = {name: facts.sourced for name, facts in self.shown.items() if facts.os}
            found += [
                f"a shell in {name} reads {seen!r}, told was {told!r}" for name, seen in read.items() if seen != told
            ]
        return found

    def told(self) -> str:
        """The whole case, for a message."""
        answers = "\n".join(f"  {name}: {answer}" for name, answer in self.answers.items())
        broken = "\n".join(f"  ! {line}" for line in self.disagreements())
        return f"{self.name}\n{broken}\n  basegate: {self.ruling}\n{answers}\n{self.image.told()}"


def differences(told: Facts, shown: Facts) -> list[str]:
    """What is shown otherwise than told; what is not told is not compared.

    What basegate tells as it stands in the file may have quotes in it, and NUL, which a shell's variables never hold.
    """
    pairs = (
        ("os", _system(told.os, shown.os), shown.os),
        ("conda", told.conda, shown.conda),
        ("python", told.python, shown.python),
    )
    return [f"{name} {seen or 'none'}, told was {said}" for name, said, seen in pairs if said and not _is(said, seen)]


def contradictions(told: Facts, shown: Facts) -> list[str]:
    """The same of programs that may say less than is known: their series only, or nothing."""
    said = (told.conda, told.python), (shown.conda, shown.python)
    programs = [(one, other) for one, other in zip(*said, strict=True) if one and other]
    found = differences(replace(told, conda="", python=""), shown)
    return found + [f"{seen}, told was {one}" for one, seen in programs if not (_is(one, seen) or _is(seen, one))]


def _system(said: str, seen: str) -> str:
    """What is told of the system, without quotes where a shell shows it without them."""
    plain = said.replace("\0", "")
    bare = re.sub(r"['\"]", "", plain)
    return bare if _is(bare, seen) else plain


def _is(said: str, seen: str) -> bool:
    """Whether this was seen, or something more exact: `3.6` and `3.6.5`, `debian` and `debian 9`."""
    return seen == said or seen.startswith((f"{said}.", f"{said} "))


class Court:
    """A live basegate and the runtimes that read from it."""

    def __init__(self, gateway: LiveGateway, readers: Sequence[Reader]) -> None:
        self._host = gateway.host
        self._owner = gateway.client("admin")
        self._reader = gateway.client("reader")
        self._accounts = {name: Account(name, gateway.secrets[name]) for name in ("admin", "reader")}
        self._readers = readers
        self._pool = ThreadPoolExecutor(max(1, len(readers)))
        self._numbers = itertools.count(1)
        self._push(_BASE, image())

    @property
    def runtimes(self) -> list[str]:
        """Who is asked."""
        return [reader.name for reader in self._readers]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._pool.shutdown()
        self._owner.close()
        self._reader.close()

    def hear(self, name: str, made: Image, *, everybody: bool = False) -> Trial:
        """Push an image, and ask everybody.

        Args:
            name: how it is called in a message.
            made: the image.
            everybody: ask the runtimes also about an image of which basegate says nothing for certain.
        """
        number = next(self._numbers)
        repository = f"image{number}"
        ruling = self.ruling(repository, made)
        answers: dict[str, Answer] = {}
        if everybody or ruling.state not in {INCONCLUSIVE, NOT_TAKEN}:
            answers = self._ask(repository, ruling)
        if number % _BULK == 0:
            list(self._pool.map(lambda reader: reader.empty(), self._readers))
        leaks = tuple(self._leaks(repository, made, ruling))
        return self._confirmed(Trial(name, made, ruling, answers, leaks), repository)

    def _confirmed(self, trial: Trial, repository: str) -> Trial:
        """Whoever contradicts basegate is asked once more: an answer that a runtime does not give twice is none.

        While a runtime unpacks one image and starts another, a program may be "busy" for a moment (ETXTBSY).
        """
        if trial.disagreements() == list(trial.leaks):
            return trial
        again = self._ask(repository, trial.ruling)
        told = trial.ruling.facts
        doubtful = {name for name, facts in trial.shown.items() if differences(told, facts)}
        answers = {name: again[name] if name in doubtful else answer for name, answer in trial.answers.items()}
        return replace(trial, answers=answers)

    def ruling(self, repository: str, made: Image) -> Ruling:
        """Push an image into a repository, and ask for the verdict."""
        answer = self._push(repository, made)
        if answer.is_error:
            return Ruling(NOT_TAKEN, reasons=(answer.text,))
        path = f"/policy/v1/repositories/{repository}/manifests/{_TAG}/verdict"
        return Ruling.of(self._owner.get(path).raise_for_status().json())

    def _ask(self, repository: str, ruling: Ruling) -> dict[str, Answer]:
        if ruling.state == NOT_TAKEN:
            return {}
        account = self._accounts["reader" if ruling.state in {CLEARED, NOT_APPLICABLE} else "admin"]
        question = script(ruling.aside)
        reference = f"{self._host}/{repository}:{_TAG}"
        answers = self._pool.map(lambda reader: reader.ask(reference, account, question), self._readers)
        return {reader.name: answer for reader, answer in zip(self._readers, answers, strict=True)}

    def _push(self, repository: str, made: Image) -> httpx.Response:
        for digest, content in made.blobs.items():
            self._push_blob(repository, digest, content)
        path = f"/v2/{repository}/manifests/{_TAG}"
        return self._owner.put(path, content=made.manifest, headers={"Content-Type": made.media_type})

    def _push_blob(self, repository: str, digest: str, content: bytes) -> None:
        path = f"/v2/{repository}/blobs/uploads/"
        if digest == str(base().digest) and repository != _BASE:
            self._owner.post(path, params={"mount": digest, "from": _BASE}).raise_for_status()
        else:
            self._owner.post(path, params={"digest": digest}, content=content).raise_for_status()

    def _leaks(self, repository: str, made: Image, ruling: Ruling) -> list[str]:
        """What the reader gets against the rule, or does not get."""
        doors = [f"manifests/{_TAG}", f"manifests/{made.digest}", *(f"blobs/{digest}" for digest in made.blobs)]
        got = {door: self._reader.head(f"/v2/{repository}/{door}").status_code for door in doors}
        if ruling.state in WITHHELD:
            return [f"a reader's HEAD of {door} is {status}, not 403" for door, status in got.items() if status != 403]
        if ruling.state in {CLEARED, NOT_APPLICABLE}:
            return [f"a reader's HEAD of {door} is {status}" for door, status in got.items() if status != 200]
        return []

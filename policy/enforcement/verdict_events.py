"""Events of verdicts: told when an image has its first verdict, and whenever that changes.

In the background: a push waits for none of it. What was told last stands with the manifests, and is written with the
event: each change is told once, whatever ends the process. Of verdicts that change twice between two looks, the last
one is told. What was never anything but not an image is not told of.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Any

import structlog

from policy.enforcement.conclusion import Conclusion
from policy.enforcement.gate import PolicyGate
from policy.enforcement.marks import EXEMPT
from policy.rules.findings import Result
from policy.state import State
from registry.metadata import events, told_marks
from registry.metadata.events import Event
from registry.metadata.store import MetadataStore
from registry.metadata.told_marks import News, ToldMark
from registry.oci.errors import Unavailable

VERDICT_SET = "verdict.set"
PUSH = "push"
"""The cause of the first verdict."""
_LOOK_SECONDS = 1.0
_PAGE = 100
_REST_SECONDS = 0.05
"""Between two pages, at least: requests come first."""
_TOGETHER = 25
"""What stands on record is looked up for so many at once, for which requests wait."""
_AT_ONCE_SECONDS = 0.002
"""Manifests are looked at for so long before others have their turn."""
_PENDING = 10_000
_BAD = frozenset({Result.FAIL, Result.ERROR})


class VerdictEvents:
    """Tells of verdicts.

    Args:
        gate: says what holds of a manifest.
        metadata: where manifests and events are.
        is_on: whether it is wanted; what happens meanwhile is told when it is wanted again.
        clock: seconds since the epoch.
    """

    def __init__(
        self,
        gate: PolicyGate,
        metadata: MetadataStore,
        is_on: Callable[[], bool],
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._gate = gate
        self._metadata = metadata
        self._is_on = is_on
        self._clock = clock
        self._turns: object = None
        self._generation = -1
        self._event = 0
        self._pending: set[int] = set()

    async def run(self) -> None:
        """Until it is cancelled: at the start, after every turn, and for what is pushed."""
        while True:
            try:
                if self._is_on():
                    await self.round()
                else:
                    self._turns = None
            except Unavailable as error:
                structlog.get_logger(__name__).warning(
                    "verdicts could not be told, it will be tried again", reason=error.message
                )
            except Exception:  # noqa: BLE001  one failed round must not end the rounds
                structlog.get_logger(__name__).exception("verdicts could not be told, it will be tried again")
            await asyncio.sleep(_LOOK_SECONDS)

    async def round(self) -> None:
        """Tell what is not told yet: of everything after a turn, else of what was pushed or is pending."""
        turns, generation = self._gate.turns(), self._metadata.generation()
        newest = (await self._metadata.read(events.ends))[1] if generation != self._generation else self._event
        if turns != self._turns:
            self._pending.clear()
            await self._tell_all()
            self._turns = turns
        else:
            await self._tell_some(await self._met(newest))
        self._generation, self._event = generation, newest

    async def _met(self, newest: int) -> Sequence[ToldMark]:
        """What was pushed since the last round, and what was pending then."""
        pending = await self._metadata.read(told_marks.of, list(self._pending)) if self._pending else []
        self._pending = {each.row for each in pending}  # what has gone is waited for no longer
        if newest == self._event:
            return pending
        pushed = await self._metadata.read_apart(told_marks.concerned, self._event, newest)
        return list({each.row: each for each in (*pending, *pushed)}.values())

    async def _tell_all(self) -> None:
        after = 0
        while page := await self._metadata.read_apart(told_marks.page, after, _PAGE):
            after = page[-1].row
            await self._tell_and_rest(page)

    async def _tell_some(self, met: Sequence[ToldMark]) -> None:
        for start in range(0, len(met), _PAGE):
            if len(met) > start + _PAGE:
                await self._tell_and_rest(met[start : start + _PAGE])
            else:
                await self._tell(met[start:])

    async def _tell_and_rest(self, marks: Sequence[ToldMark]) -> None:
        """Rest for as long as that took: requests have at least half of the time."""
        begun = time.monotonic()
        await self._tell(marks)
        await asyncio.sleep(max(_REST_SECONDS, time.monotonic() - begun))

    async def _tell(self, marks: Sequence[ToldMark]) -> None:
        news, known = [], set()
        async for mark, conclusion in self._concluded(marks):
            if conclusion is None:
                self._wait_for(mark)
                continue
            known.add(mark.row)
            if (told := await self._news(mark, conclusion)) is not None:
                news.append(told)
        if news:
            await self._metadata.write(told_marks.tell, self._clock(), news)
        self._pending -= known  # not before they are told: a round that fails is made up for by the next

    async def _concluded(self, marks: Sequence[ToldMark]) -> AsyncIterator[tuple[ToldMark, Conclusion | None]]:
        """What is concluded of each, in short turns."""
        begun = time.monotonic()
        for start in range(0, len(marks), _TOGETHER):
            some = marks[start : start + _TOGETHER]
            on_record = self._gate.conclusions((each.repository, each.digest) for each in some)
            for mark in some:
                if time.monotonic() - begun > _AT_ONCE_SECONDS:
                    await asyncio.sleep(0)
                    begun = time.monotonic()
                conclusion = on_record.get((mark.repository, mark.digest))
                if conclusion is None:
                    conclusion = await self._gate.conclusion(mark.repository, mark.digest, known=True)
                yield mark, conclusion

    def _wait_for(self, mark: ToldMark) -> None:
        """Look at it again in the next round; what has no room waits for the next look at everything."""
        if len(self._pending) < _PENDING:
            self._pending.add(mark.row)

    async def _news(self, mark: ToldMark, conclusion: Conclusion) -> News | None:
        """What is to be told; `None` when it was, or is nothing that anybody wants to hear."""
        words, basis = _words(conclusion), conclusion.policy_digest
        if words == mark.words or (mark.words is None and conclusion.state is State.NOT_APPLICABLE):
            return None
        event = None if mark.words == "" else await self._event_of(mark, conclusion)
        return News(mark, words, basis, event)

    async def _event_of(self, mark: ToldMark, conclusion: Conclusion) -> Event:
        told: dict[str, Any] = {
            "verdict": conclusion.state.value,
            "policy": {"name": conclusion.policy_name, "digest": conclusion.policy_digest},
            "cause": _cause(mark, conclusion),
        }
        if mark.words:
            told["previous"] = mark.words.split()[0]
        if conclusion.exemptions:
            told["exempt"] = True
        if findings := await self._findings(mark, conclusion):
            told["findings"] = findings
        return Event(VERDICT_SET, mark.repository, mark.digest, details=told)

    async def _findings(self, mark: ToldMark, conclusion: Conclusion) -> list[str]:
        """The rules that speak against the image, in the order of the policy."""
        if conclusion.state not in {State.REFUSED, State.INCONCLUSIVE}:
            return []
        verdict, _ = await self._gate.verdict_now(mark.repository, mark.digest)
        found = () if verdict is None else verdict.findings
        return list(dict.fromkeys(each.rule for each in found if each.result in _BAD))


def _words(conclusion: Conclusion) -> str:
    """The verdict, and whether exemptions let the image through all the same."""
    return f"{conclusion.state.value} {EXEMPT}" if conclusion.exemptions else conclusion.state.value


def _cause(mark: ToldMark, conclusion: Conclusion) -> str:
    if mark.words is None:
        return PUSH
    if mark.words.split()[0] == conclusion.state.value:
        return "exemption"
    return "inspection" if mark.basis == conclusion.policy_digest else "policy"

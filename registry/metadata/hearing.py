"""Waiting until every node has heard of a commit: a question is sent behind it, and each that listens answers.

Whoever does not answer within `silence_seconds` has not heard from the database for as long, and serves nothing.
"""

import asyncio
import time
import uuid
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

from sqlalchemy import Connection, text

from registry.database.pulse import CHANNEL, COUNT, place_of
from registry.database.statement import autocommit

_ASKED, _HEARD = "?", "!"
_LOOK_SECONDS = 0.005
_ASK = text(f"SELECT ({COUNT} AND objid = :place), pg_notify(:channel, :said)")
_ANSWER = text("SELECT pg_notify(:channel, :said)")


class Hearing:
    """Questions of this node, and answers to those of all.

    Args:
        silence_seconds: how long an answer is waited for.
        answer: has another thread send the answer to a question.
    """

    def __init__(self, silence_seconds: float, answer: Callable[[str], object]) -> None:
        self._silence_seconds = silence_seconds
        self._answer = answer
        self._heard: dict[str, int] = {}

    async def wait(self, asks: Callable[[str], Awaitable[int]]) -> None:
        """Return when all nodes have heard what was committed before, or serve nothing. `asks`: sends a question."""
        question = uuid.uuid4().hex
        self._heard[question] = 0
        try:
            until = time.monotonic() + self._silence_seconds
            nodes = await asks(question)
            while self._heard[question] < nodes and time.monotonic() < until:  # noqa: ASYNC110  another thread counts
                await asyncio.sleep(_LOOK_SECONDS)
        finally:
            del self._heard[question]

    def takes(self, said: str) -> bool:
        """Whether what a node has said was a question or an answer; in the thread that listens."""
        kind, question = said[:1], said[1:]
        if kind == _ASKED:
            with suppress(RuntimeError):  # this node is closing
                self._answer(question)
        elif kind == _HEARD and question in self._heard:
            self._heard[question] += 1
        return kind in {_ASKED, _HEARD}


@autocommit
def ask(connection: Connection, question: str) -> int:
    """Ask all nodes; how many listen, this one included."""
    values: dict[str, Any] = {"place": place_of(CHANNEL), "channel": CHANNEL, "said": f"{_ASKED}{question}"}
    return int(connection.execute(_ASK, values).one()[0])


@autocommit
def answer(connection: Connection, question: str) -> None:
    """Tell that this node has heard all that was committed before a question."""
    connection.execute(_ANSWER, {"channel": CHANNEL, "said": f"{_HEARD}{question}"})

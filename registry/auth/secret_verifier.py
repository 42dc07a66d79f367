"""Checking secrets beside the event loop: hashed in few threads, the answer remembered, equal questions asked once."""

import asyncio
import hmac
import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

from registry.auth.secret_hash import SECRET_MAXIMUM, matches, pretend
from registry.caches import Recent
from registry.config.access import AuthSettings
from registry.oci.errors import TooManyRequests

_ANYBODY = ""
"""Under whose name a right secret is remembered: it is right for each name of its principal."""
_NAME_MAXIMUM = 256


class SecretCheck:
    """Compares secrets with hashes.

    An answer is remembered under a keyed digest of (hash, secret), so it can never outlive the hash it was given for,
    and memory holds no secret. The key is this process's own. A refusal costs as many hashes for every user name,
    whether anybody has it or not: it is remembered for the name it was tried with only.

    Args:
        settings: threads, and what is remembered.
        each: secrets that a principal has at most.
        waiting: says how many secrets may wait for a thread.
    """

    def __init__(self, settings: AuthSettings, each: int, waiting: Callable[[], int]) -> None:
        self._each = each
        self._threads = ThreadPoolExecutor(settings.hashing_threads, "secret-check")
        self._places = settings.hashing_threads
        self._waiting = waiting
        self._key = os.urandom(32)
        self._answers: Recent[bytes, bool] = Recent(settings.verified_entries, settings.verified_seconds)
        self._running: dict[bytes, asyncio.Future[bool]] = {}

    def recall(self, secret: str, hashes: Sequence[str]) -> str | None:
        """The hash that the secret is already known to match, without hashing."""
        return next((phc for phc in hashes if self._answers.get(self._question(_ANYBODY, secret, phc))), None)

    async def find(self, username: str, secret: str, hashes: Sequence[str]) -> str | None:
        """The hash that the secret matches, or `None` after as many comparisons for any user name.

        Args:
            username: who signs in, as it was sent; somebody or not.
            secret: what is compared.
            hashes: of the secrets that count; fewer than a principal can have are made up for.

        Raises:
            TooManyRequests: too many secrets wait to be hashed.
        """
        if len(secret) > SECRET_MAXIMUM:
            return None
        recalled = self.recall(secret, hashes)
        if recalled is not None:
            return recalled
        for phc in hashes:
            if await self._matches(username, secret, phc):
                return phc
        for place in range(len(hashes), self._each):
            await self._matches(username, secret, str(place))
        return None

    def close(self) -> None:
        """Let the threads go."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def _matches(self, username: str, secret: str, phc: str) -> bool:
        """Whether a secret has this hash; a number in its place stands for a secret that there is not."""
        question = self._question(username, secret, phc)
        matches = self._answers.get(question)
        if matches is None:
            matches = await self._hash(question, secret, None if phc.isdigit() else phc)
        if matches:
            self._answers.put(self._question(_ANYBODY, secret, phc), True)
        return matches

    async def _hash(self, question: bytes, secret: str, phc: str | None) -> bool:
        running = self._running.get(question)
        if running is None:
            if len(self._running) >= self._places + self._waiting():
                raise TooManyRequests("too many sign-ins at once: try again in a second", headers={"Retry-After": "1"})
            work = asyncio.get_running_loop().run_in_executor(self._threads, _compare, secret, phc)
            running = self._running[question] = asyncio.ensure_future(self._remember(question, work))
        return await asyncio.shield(running)

    async def _remember(self, question: bytes, work: asyncio.Future[bool]) -> bool:
        try:
            answer = await work
        finally:
            del self._running[question]
        self._answers.put(question, answer)
        return answer

    def _question(self, username: str, secret: str, phc: str) -> bytes:
        # The one part that may hold anything comes last; a name is cut, as none is longer.
        text = f"{username[:_NAME_MAXIMUM]!r}\0{phc}\0{secret}"
        return hmac.digest(self._key, text.encode("utf-8", "surrogatepass"), "sha256")


def _compare(secret: str, phc: str | None) -> bool:
    if phc is None:
        pretend(secret)
        return False
    return matches(secret, phc)

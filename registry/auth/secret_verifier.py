"""Verifies secrets beside the event loop: few hashing threads, cached results, equal checks made once."""

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

    A result is cached under a keyed digest of (hash, secret): it cannot outlive the hash, and memory holds no secret.
    The key is random for each process. A refusal costs as many hashes for every user name, known or not: it is cached
    only for the name that was tried.

    Args:
        settings: threads, and the size of the cache.
        each: the most secrets of a principal.
        waiting: returns how many secrets may wait for a thread.
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
        """The hash that the secret matches by the cache, without hashing."""
        return next((phc for phc in hashes if self._answers.get(self._question(_ANYBODY, secret, phc))), None)

    async def find(self, username: str, secret: str, hashes: Sequence[str]) -> str | None:
        """The hash that the secret matches, or `None` after as many comparisons for any user name.

        Args:
            username: as it was sent; known or not.
            secret: to compare.
            hashes: of the valid secrets; missing ones are replaced by dummies.

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
        """End the threads."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def _matches(self, username: str, secret: str, phc: str) -> bool:
        """Whether a secret has this hash; a number is a dummy for a missing secret."""
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
        # The only part with arbitrary bytes comes last; names are cut at the longest possible.
        text = f"{username[:_NAME_MAXIMUM]!r}\0{phc}\0{secret}"
        return hmac.digest(self._key, text.encode("utf-8", "surrogatepass"), "sha256")


def _compare(secret: str, phc: str | None) -> bool:
    if phc is None:
        pretend(secret)
        return False
    return matches(secret, phc)

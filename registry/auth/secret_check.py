"""Checking secrets beside the event loop: hashed in few threads, the answer remembered, equal questions asked once."""

import asyncio
import hmac
import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from registry.access_settings import AuthSettings
from registry.auth.recent import Recent
from registry.auth.secret import SECRET_MAXIMUM, matches, pretend
from registry.oci.errors import TooManyRequests


class SecretCheck:
    """Compares secrets with hashes.

    An answer is remembered under a keyed digest of (hash, secret), so it can never outlive the hash it was given for,
    and memory holds no secret. The key is this process's own.
    """

    def __init__(self, settings: AuthSettings) -> None:
        self._threads = ThreadPoolExecutor(settings.hashing_threads, "secret-check")
        self._waiting_maximum = settings.hashing_threads + settings.hashing_waiting
        self._key = os.urandom(32)
        self._answers: Recent[bytes, bool] = Recent(settings.verified_entries, settings.verified_seconds)
        self._running: dict[bytes, asyncio.Future[bool]] = {}

    def recall(self, secret: str, hashes: Sequence[str]) -> str | None:
        """The hash that the secret is already known to match, without hashing."""
        return next((phc for phc in hashes if self._answers.get(self._question(secret, phc))), None)

    async def find(self, secret: str, hashes: Sequence[str]) -> str | None:
        """The hash that the secret matches, or `None`.

        Raises:
            TooManyRequests: too many secrets wait to be hashed.
        """
        if len(secret) > SECRET_MAXIMUM:
            return None
        known = self.recall(secret, hashes)
        if known is not None:
            return known
        if not hashes:
            await self._hash(self._question(secret, ""), secret, None)
        for phc in hashes:
            if await self._matches(secret, phc):
                return phc
        return None

    def close(self) -> None:
        """Let the threads go."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def _matches(self, secret: str, phc: str) -> bool:
        question = self._question(secret, phc)
        known = self._answers.get(question)
        return known if known is not None else await self._hash(question, secret, phc)

    async def _hash(self, question: bytes, secret: str, phc: str | None) -> bool:
        running = self._running.get(question)
        if running is None:
            if len(self._running) >= self._waiting_maximum:
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

    def _question(self, secret: str, phc: str) -> bytes:
        return hmac.digest(self._key, f"{phc}\0{secret}".encode("utf-8", "surrogatepass"), "sha256")


def _compare(secret: str, phc: str | None) -> bool:
    if phc is None:
        pretend(secret)
        return False
    return matches(secret, phc)

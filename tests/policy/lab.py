"""The registry's services with the policy's gate in them, over a real data folder and without HTTP."""

import asyncio
from collections.abc import AsyncIterator, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

from policy.assessment.settings import JudgingSettings
from policy.assessment.verdict import Verdict
from policy.enforcement.gate import PolicyGate
from policy.enforcement.operator_file import FILE as ORDERS
from policy.enforcement.operator_file import OperatorFileInForce
from policy.results.store import FILE as RESULTS
from policy.results.store import ResultStore
from registry.auth.actions import Role
from registry.auth.principals import Principal
from registry.config.settings import RegistrySettings, SettingsInForce
from registry.content.blobs import Blobs
from registry.content.manifests import Manifests, PushedManifest
from registry.content.referrers import ReferrersList
from registry.content.session_log import FILE as SESSIONS
from registry.content.session_log import SessionLog
from registry.content.small_blob_journal import Journal, open_stores
from registry.content.uploads import Uploads
from registry.oci.digest import Digest
from registry.oci.names import RepositoryName, Tag
from tests.policy.images_made import MadeImage

T = TypeVar("T")

PUSHER = Principal("1", "pusher", Role.ACR_PUSH)
READER = Principal("2", "reader", Role.ACR_PULL)
OWNER = Principal("3", "admin", Role.OWNER)
DELETER = Principal("4", "sweeper", Role.ACR_DELETE)
TEAM = RepositoryName("team/app")
V1 = Tag("v1")


class Lab:
    """One process's registry with policies."""

    def __init__(self, data: Path, clock: "Clock", registry: dict[str, Any], **settings: Any) -> None:
        self.runner = asyncio.Runner()
        self.data = data
        self.pool = ThreadPoolExecutor(4)
        self.storage, self.metadata = open_stores(data, self.pool)
        self.results = ResultStore(data / RESULTS)
        judging = JudgingSettings.model_validate({"inspection": {"workers": 1, "nice": 0}} | settings)
        orders = OperatorFileInForce(data / ORDERS)
        self.gate = PolicyGate(self.storage, self.metadata, self.results, orders, judging, clock)
        in_force = SettingsInForce(RegistrySettings.model_validate({"data": data} | registry))
        everything = (self.storage, self.metadata, self.gate, in_force)
        journal = Journal(self.storage, self.metadata, self.pool, in_force)
        self.sessions = SessionLog(data / SESSIONS, 1000)
        self.blobs, self.manifests = Blobs(*everything), Manifests(*everything)
        self.uploads = Uploads(*everything, journal, self.sessions)
        self.referrers = ReferrersList(self.metadata, in_force, self.gate)

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Run a coroutine to its end."""
        return self.runner.run(work)

    def close(self) -> None:
        """Let go of the folder."""
        self.gate.close()
        self.metadata.close()
        self.sessions.close()
        self.pool.shutdown()
        self.runner.close()

    async def push_blob(self, content: bytes, repository: RepositoryName = TEAM, pieces: int = 4) -> Digest:
        """Upload a blob in a few requests, as clients do."""
        session = await self.uploads.start(repository, PUSHER)
        step = len(content) // pieces + 1
        for at in range(0, len(content), step):
            await self.uploads.append(session, _body(content[at : at + step]), None, None)
        digest = Digest.of(content)
        await self.uploads.finish(session, digest, _body(b""), None, None)
        return digest

    async def push_manifest(
        self, raw: bytes, tag: Tag | None = V1, repository: RepositoryName = TEAM
    ) -> PushedManifest:
        """Push a manifest alone."""
        return await self.manifests.push(PUSHER, repository, tag or Digest.of(raw), raw, "")

    async def push(self, made: MadeImage, tag: Tag | None = V1, repository: RepositoryName = TEAM) -> PushedManifest:
        """Push an image whole."""
        for content in made.blobs:
            await self.push_blob(content, repository)
        return await self.push_manifest(made.manifest, tag, repository)

    def pushed(self, made: MadeImage, tag: Tag | None = V1, repository: RepositoryName = TEAM) -> PushedManifest:
        """Push an image whole, from outside the loop; what was found out is in policy.db then."""
        pushed = self.run(self.push(made, tag, repository))
        self.results.settle()
        return pushed

    def verdict(self, digest: Digest, repository: RepositoryName = TEAM) -> Verdict:
        """The verdict on a manifest."""
        found = self.run(self.gate.standing(READER, repository, digest)).verdict
        assert found is not None
        return found


class Clock:
    """A clock that stands until it is moved."""

    def __init__(self, now: float = 1_000_000.0) -> None:
        self.now = now

    def __call__(self) -> float:
        """Seconds since the epoch."""
        return self.now


@contextmanager
def open_lab(
    data: Path, clock: Clock | None = None, registry: dict[str, Any] | None = None, **settings: Any
) -> Iterator[Lab]:
    """Open a data folder until the block ends; `settings` are the policy's."""
    opened = Lab(data, clock or Clock(), registry or {}, **settings)
    try:
        yield opened
    finally:
        opened.close()


async def _body(content: bytes) -> AsyncIterator[bytes]:
    if content:
        yield content

"""The registry's services with the policy's gate in them, over a real data folder and without HTTP."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from policy.assessment.settings import JudgingSettings
from policy.assessment.verdict import Verdict
from policy.enforcement.gate import PolicyGate
from policy.enforcement.operator_file import FILE as ORDERS
from policy.enforcement.operator_file import OperatorFileInForce
from policy.enforcement.operator_store import OperatorStore
from policy.results.sqlite_store import FILE as RESULTS
from policy.results.sqlite_store import SqliteResults
from policy.results.store import ResultStore
from registry.auth.actions import Role
from registry.auth.principals import Principal
from registry.content.manifests import PushedManifest
from registry.metadata.sqlite_store import SqliteStore
from registry.oci.digest import Digest
from registry.oci.names import Reference, RepositoryName, Tag
from registry.storage.disk.store import DiskStore
from tests.policy.images_made import MadeImage
from tests.registry.open_services import PUSHER, REPOSITORY, OpenServices, pieces

READER = Principal("2", "reader", Role.ACR_PULL)
OWNER = Principal("3", "admin", Role.OWNER)
DELETER = Principal("4", "sweeper", Role.ACR_DELETE)
TEAM = REPOSITORY
V1 = Tag("v1")
OpenJudging = Callable[[], tuple[ResultStore, OperatorStore]]


class Lab(OpenServices):
    """One process's registry with policies."""

    def __init__(
        self, data: Path, clock: "Clock", registry: dict[str, Any], judging: OpenJudging | None, **settings: Any
    ) -> None:
        self._open_judging = judging or partial(_of_folder, data)
        self._judging = JudgingSettings.model_validate({"inspection": {"workers": 1, "nice": 0}} | settings)
        self._clock = clock
        super().__init__(data, self._opened, **registry)

    def _opened(self, storage: DiskStore, metadata: SqliteStore) -> PolicyGate:
        self.results, orders = self._open_judging()
        self.gate = PolicyGate(storage, metadata, self.results, orders, self._judging, self._clock)
        return self.gate

    def close(self) -> None:
        """Let go of the folder."""
        self.gate.close()
        super().close()

    async def push_blob(self, content: bytes, repository: RepositoryName = TEAM, count: int = 4) -> Digest:
        """Upload a blob in a few requests, as clients do, so that a worker can follow it."""
        session = await self.uploads.start(repository, PUSHER)
        step = len(content) // count + 1
        for at in range(0, len(content), step):
            await self.uploads.append(session, pieces(content[at : at + step]), None, None)
        return (await self.uploads.finish(session, Digest.of(content), pieces(), None, None)).digest

    async def push_manifest(
        self, raw: bytes, reference: Reference | None = V1, repository: RepositoryName = TEAM
    ) -> PushedManifest:
        """Push a manifest alone; under the tag `v1` unless something else is said."""
        return await super().push_manifest(raw, reference, repository)

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


def _of_folder(data: Path) -> tuple[ResultStore, OperatorStore]:
    return SqliteResults(data / RESULTS), OperatorFileInForce(data / ORDERS)


@contextmanager
def open_lab(
    data: Path,
    clock: Clock | None = None,
    registry: dict[str, Any] | None = None,
    judging: OpenJudging | None = None,
    **settings: Any,
) -> Iterator[Lab]:
    """Open a data folder until the block ends; `settings` are the policy's, `judging` opens results and orders."""
    opened = Lab(data, clock or Clock(), registry or {}, judging, **settings)
    try:
        yield opened
    finally:
        opened.close()

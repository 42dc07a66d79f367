"""One upstream: its client, its names for repositories, and whether it wants to be left alone."""

import asyncio
import time
from collections.abc import Callable

from registry.config.upstreams import UpstreamSettings
from registry.mirror.flights import Flights
from registry.oci.digest import Digest
from registry.oci.errors import UpstreamUnavailable
from registry.oci.names import Reference, RepositoryName
from registry.registry_client.client import RegistryClient, from_file, nobody
from registry.registry_client.endpoint import Endpoint, Limits
from registry.registry_client.errors import RemoteError, Throttled, Unreachable
from registry.registry_client.pull import RemoteManifest

_LEAST_PAUSE = 1.0
_IMAGES = 256
_ASK_LATER = 5.0
_LIBRARY = "library"


BlobKey = tuple[RepositoryName, Digest]


class Upstream:
    """A registry that repositories are filled from.

    Attributes:
        settings: of it.
        turns: of the blobs that are fetched at the same time.
        images: what is being fetched for those who wait: images, and lists of referrers.
        blobs: fetches that are under way or wait for their turn; images share them.
    """

    def __init__(self, settings: UpstreamSettings, manifest_bytes: Callable[[], int]) -> None:
        """`manifest_bytes`: of the largest manifest that is taken now. Raises EndpointUnusable, TrustUnusable."""
        limits = Limits(
            connect_seconds=settings.connect_seconds,
            silence_seconds=settings.silence_seconds,
            least_rate=settings.least_rate,
            referrers=settings.referrers,
        )
        ca_files = (settings.ca_file,) if settings.ca_file else None
        self.settings = settings
        self._manifest_bytes = manifest_bytes
        self.endpoint = Endpoint.parse(settings.url, plain_http=settings.plain_http, ca_files=ca_files, limits=limits)
        self.endpoint.trust()
        self.turns = asyncio.Semaphore(settings.fetches)
        self.images: Flights[tuple[RepositoryName, str], None] = Flights(_IMAGES, _full)
        self.blobs: Flights[BlobKey, None] = Flights(_IMAGES * settings.fetches, _full)
        self._client: RegistryClient | None = None
        self._quiet_until = 0.0
        self._why = ""

    @property
    def client(self) -> RegistryClient:
        """Its client, made when it is first needed, in the event loop that serves."""
        if self._client is None:
            file = self.settings.credentials
            login = nobody if file is None else from_file(file, self.endpoint)
            self._client = RegistryClient(self.endpoint, login)
        return self._client

    @property
    def share(self) -> int:
        """How many blobs of one image are fetched at the same time: one turn is left for the other images."""
        return max(1, self.settings.fetches - 1)

    def name_of(self, repository: RepositoryName) -> RepositoryName:
        """What the upstream calls a repository; Docker Hub's own images have a part that nobody writes."""
        name = repository[len(self.settings.prefix) + 1 :]
        if self.settings.path:
            return RepositoryName(f"{self.settings.path}/{name}")
        if self.endpoint.name == "docker.io" and "/" not in name:
            name = f"{_LIBRARY}/{name}"
        return RepositoryName(name)

    async def manifest(self, repository: RepositoryName, reference: Reference) -> RemoteManifest:
        """A manifest of what is called so here; raises RemoteError."""
        return await self.client.pull.manifest(self.name_of(repository), reference, self._manifest_bytes())

    def require_talking(self) -> None:
        """Raise Throttled while it is left alone."""
        left = self._quiet_until - time.monotonic()
        if left > 0:
            raise Throttled(f"{self._why}. It is left alone for {left:.0f} s more", left)

    def note(self, error: RemoteError) -> None:
        """Leave it alone for as long as it asks, or for a moment when it does not answer."""
        if isinstance(error, Unreachable):
            asked = error.retry_after if error.retry_after is not None else self.settings.retry_seconds
            pause = max(asked, _LEAST_PAUSE) if isinstance(error, Throttled) else asked
            until = time.monotonic() + pause
            if until > self._quiet_until:
                self._quiet_until, self._why = until, str(error)

    async def close(self) -> None:
        """Stop fetching, and close its connections."""
        await self.images.stop()
        await self.blobs.stop()
        if self._client is not None:
            await self._client.close()


def _full() -> UpstreamUnavailable:
    return UpstreamUnavailable(
        "too much is being fetched from this upstream just now: try again",
        None,
        {"Retry-After": str(round(_ASK_LATER))},
    )

"""Deliveries to all sinks, each by itself; they follow the settings."""

import asyncio
from collections.abc import Iterable

import structlog

from registry.config.settings import RegistrySettings, SettingsInForce
from registry.metadata import webhooks
from registry.metadata.store import MetadataStore
from registry.metadata.webhooks import Webhook
from registry.notifications.formats import host_of
from registry.notifications.sink import Sink, SinkUnusable
from registry.notifications.webhook_sinks import sink_of
from registry.oci.errors import Unavailable

_LOOK_SECONDS = 1.0
_AGAIN_SECONDS = 5.0


class Deliveries:
    """Tells every sink of the settings, and every webhook.

    Args:
        metadata: where events and cursors are.
        settings: those in force.
    """

    def __init__(self, metadata: MetadataStore, settings: SettingsInForce[RegistrySettings]) -> None:
        self._metadata = metadata
        self._settings = settings
        self._tasks: dict[Sink, asyncio.Task[None]] = {}
        self._refused: set[str] = set()
        self._log = structlog.get_logger(__name__)

    async def run(self) -> None:
        """Until it is cancelled: a sink that comes is told, one that goes is not any more."""
        try:
            while True:
                try:
                    made = await self._metadata.read(webhooks.every)
                    wanted = self._wanted(made) if self._metadata.leads() else ()
                    await self._follow({sink.name: sink for sink in wanted})
                except Unavailable as error:  # an hour of it would be as many tracebacks
                    self._log.warning("the sinks could not be looked at, it will be tried again", reason=error.message)
                except Exception:  # noqa: BLE001  one failed look must not end all deliveries
                    self._log.exception("the sinks could not be looked at, it will be tried again")
                await asyncio.sleep(_LOOK_SECONDS)
        finally:
            await self._follow({})

    async def _follow(self, wanted: dict[str, Sink]) -> None:
        gone = {sink: task for sink, task in self._tasks.items() if wanted.get(sink.name) != sink}
        for sink, task in gone.items():
            task.cancel()
            del self._tasks[sink]
        await asyncio.gather(*gone.values(), return_exceptions=True)
        for sink in wanted.values():
            if sink not in self._tasks:
                self._tasks[sink] = asyncio.create_task(self._tell(sink))

    def _wanted(self, made: Iterable[Webhook]) -> Iterable[Sink]:
        for settings in self._settings.current.events.sinks:
            try:
                yield Sink.of(settings)
                self._refused.discard(settings.name)
            except SinkUnusable as error:
                if settings.name not in self._refused:
                    self._refused.add(settings.name)
                    self._log.error("a sink cannot be used", sink=settings.name, reason=str(error))
        local = self._settings.current.events.webhooks_local
        yield from (sink_of(webhook, local=local) for webhook in made if webhook.enabled)

    def _host(self) -> str:
        return host_of(self._settings.current)

    def _kept(self) -> int:
        return self._settings.current.events.webhook_deliveries

    async def _tell(self, sink: Sink) -> None:
        from registry.notifications.delivery import Delivery  # noqa: PLC0415 - slow to import

        while True:
            try:
                await Delivery(sink, self._metadata, self._host, keep=self._kept).run()
            except Exception:  # noqa: BLE001  one failed round must not end the rounds
                self._log.exception("a sink could not be told, it will be tried again", sink=sink.name)
            await asyncio.sleep(_AGAIN_SECONDS)

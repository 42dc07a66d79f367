"""Sinks of events: how far each is behind, telling one again, and trying it."""

import asyncio
import time
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from registry.administration.act import BASE, Act, Holdings
from registry.config.settings import RegistrySettings, SettingsInForce
from registry.metadata import events, sinks
from registry.metadata.identity import identity
from registry.metadata.sinks import SinkState
from registry.metadata.store import MetadataStore
from registry.notifications.formats import Origin, host_of, ping
from registry.notifications.sink import Sink, SinkUnusable
from registry.oci.errors import NotFound
from registry.oci.timestamp import exact_timestamp

SINKS = f"{BASE}/sinks"


@dataclass(frozen=True, slots=True)
class Sinks:
    """What acts on sinks do, in a server and in a data folder.

    Attributes:
        metadata: the rows.
        settings: those in force.
    """

    metadata: MetadataStore
    settings: SettingsInForce[RegistrySettings]

    async def listed(self) -> dict[str, Any]:
        """`{"sinks": [SINK]}`, by name.

        A sink is `{"name", "cursor", "lag", "failures", "given_up", "delivered", "tried", "error"}`; times are `None`
        when there was none.
        """
        newest = (await self.metadata.read(events.ends))[1]
        states = await self.metadata.read(sinks.every)
        return {"sinks": [_document(state, newest) for state in states]}

    async def moved(self, name: str, after: int) -> dict[str, Any]:
        """Have a sink go on after an event: `{"sink", "after"}`. Raises NotFound when it was never told anything."""
        if not await self.metadata.write(sinks.move, name, after):
            raise NotFound(f"no sink {name[:64]} was ever told anything: `basegate events sinks` shows all that were")
        return {"sink": name, "after": after}

    async def tried(self, name: str) -> dict[str, Any]:
        """Send a sink something that tells it nothing: `{"sink", "problem"}`, "" when it has taken it.

        Raises:
            NotFound: the settings know no such sink.
        """
        known = self.settings.current.events.sinks
        found = next((each for each in known if each.name == name), None)
        if found is None:
            names = ", ".join(each.name for each in known) or "none"
            raise NotFound(f"no sink is called {name[:64]}: the settings know {names}")
        origin = Origin((await self.metadata.read(identity)).id, host_of(self.settings.current))
        try:
            sink = await asyncio.to_thread(Sink.of, found)
        except SinkUnusable as error:
            return {"sink": name, "problem": str(error)}
        return {"sink": name, "problem": await _ping(sink, origin)}


def list_sinks() -> Act:
    """`Sinks.listed`."""

    async def here(holdings: Holdings) -> dict[str, Any]:
        return await _sinks(holdings).listed()

    return Act("GET", SINKS, here)


def replay_sink(name: str, after: int) -> Act:
    """`Sinks.moved`."""

    async def here(holdings: Holdings) -> dict[str, Any]:
        return await _sinks(holdings).moved(name, after)

    return Act("POST", f"{SINKS}/{quote(name, safe='')}/replay", here, body={"after": after})


def test_sink(name: str) -> Act:
    """`Sinks.tried`."""

    async def here(holdings: Holdings) -> dict[str, Any]:
        return await _sinks(holdings).tried(name)

    return Act("POST", f"{SINKS}/{quote(name, safe='')}/test", here, body={})


def _sinks(holdings: Holdings) -> Sinks:
    return Sinks(holdings.metadata, holdings.settings)


async def _ping(sink: Sink, origin: Origin) -> str:
    from registry.notifications.post import connection_to, deliver  # noqa: PLC0415 - slow to import

    with connection_to(sink) as connection:
        return (await deliver(connection, sink, ping(sink.format, origin, time.time()))).problem


def _document(state: SinkState, newest: int) -> dict[str, Any]:
    return {
        "name": state.name,
        "cursor": state.cursor,
        "lag": newest - state.cursor,
        "failures": state.failures,
        "given_up": state.given_up,
        "delivered": exact_timestamp(state.delivered) if state.delivered else None,
        "tried": exact_timestamp(state.tried) if state.tried else None,
        "error": state.error,
    }

"""Nodes of one registry that sign with different keys: a warning in the log, and a metric."""

import asyncio
from collections.abc import Iterator

import structlog
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from registry.metadata import node_keys
from registry.metadata.node_keys import OtherNodes
from registry.metadata.store import SharedRows

ROUND_SECONDS = 10.0
_NONE = OtherNodes(0, ())


class NodeKeys(Collector):
    """Shows the key of this node to the others, and looks at theirs now and then.

    Args:
        rows: what the nodes share.
        key: id of the key that this node signs tokens with.
    """

    def __init__(self, rows: SharedRows, key: str) -> None:
        self._rows = rows
        self._key = key
        self._others = _NONE
        self._log = structlog.get_logger(__name__)

    async def run(self) -> None:
        """Look, round after round, until cancelled."""
        self._rows.show(self._key)
        while True:
            try:
                await self.look()
            except Exception as error:  # noqa: BLE001  while the database is away there is more to tell than this
                self._log.info("the keys of other nodes could not be looked at", reason=str(error))
            await asyncio.sleep(ROUND_SECONDS)

    async def look(self) -> None:
        """Log what has changed: nothing refuses to work for it, for each node serves who asks no other."""
        found = await self._rows.read(node_keys.of_others, self._key)
        if found != self._others and found.number:
            self._log.warning(
                "other nodes of this registry sign with other keys",
                nodes=found.number,
                addresses=list(found.addresses),
                key=self._key,
                reason="a token of one of them is refused (401) here, and one of this node there: all nodes need the "
                "same keys; stop the node that was not given them, copy keys/ of another into its data folder, with "
                "its modes, and start it again (docs/cluster.md)",
            )
        elif found != self._others:
            self._log.warning("all nodes of this registry sign with the same keys again", key=self._key)
        self._others = found

    def collect(self) -> Iterator[Metric]:
        """How many there are."""
        words = "Living nodes of this registry that sign with other keys than this one."
        yield GaugeMetricFamily("basegate_nodes_of_other_keys", words, self._others.number)

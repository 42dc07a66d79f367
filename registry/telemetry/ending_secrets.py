"""Secrets of principals that end soon: a warning in the log, once a day, and metrics."""

import asyncio
import time
from collections.abc import Callable, Iterator, Sequence

import structlog
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from registry.config.group import DAY
from registry.metadata import principals
from registry.metadata.principals import PrincipalRow, SecretRow
from registry.metadata.store import MetadataStore
from registry.oci.timestamp import timestamp

ROUND_SECONDS = 600.0

Ending = tuple[PrincipalRow, SecretRow]


class EndingSecrets(Collector):
    """Looks at all principals now and then; those that are disabled are left out.

    Args:
        metadata: the principals.
        days: how many days before its end a secret is told of; 0: never.
        clock: seconds since the epoch.
    """

    def __init__(
        self, metadata: MetadataStore, days: Callable[[], int], clock: Callable[[], float] = time.time
    ) -> None:
        self._metadata = metadata
        self._days = days
        self._clock = clock
        self._told: dict[tuple[str, str, float], float] = {}
        self._soon: Sequence[Ending] = ()
        self._log = structlog.get_logger(__name__)

    async def run(self) -> None:
        """Look, round after round, until cancelled."""
        while True:
            try:
                await self.look()
            except Exception as error:  # noqa: BLE001  secrets end without being told of, too
                self._log.warning("the ends of secrets could not be looked at", reason=str(error))
            await asyncio.sleep(ROUND_SECONDS)

    async def look(self) -> None:
        """Log what ends soon, and what has ended since it was told of."""
        now, everyone = self._clock(), await self._metadata.read_apart(principals.everyone)
        secrets = [(row, secret) for row in everyone if row.enabled for secret in row.secrets]
        until = now + self._days() * DAY
        self._soon = [(row, secret) for row, secret in secrets if now < secret.expires <= until]
        for row, secret in self._soon:
            if self._told.get(_key(row, secret), 0.0) <= now - DAY:
                self._told[_key(row, secret)] = now
                self._tell(row, secret, ended=False)
        for row, secret in secrets:
            if secret.expires <= now and self._told.pop(_key(row, secret), None) is not None:
                self._tell(row, secret, ended=True)

    def collect(self) -> Iterator[Metric]:
        """How many end soon, and the next end; without names, which not everybody is to know."""
        now = self._clock()
        ends = [secret.expires for _, secret in self._soon if secret.expires > now]
        yield GaugeMetricFamily(
            "basegate_secrets_ending_soon", "Secrets within auth.warn_days of their end.", len(ends)
        )
        if ends:
            words = "When the next of these ends, in seconds since the epoch."
            yield GaugeMetricFamily("basegate_secret_next_end_timestamp_seconds", words, min(ends))

    def _tell(self, row: PrincipalRow, secret: SecretRow, *, ended: bool) -> None:
        later = [each for each in row.secrets if each.expires > secret.expires]
        self._log.warning(
            "a secret has ended" if ended else "a secret ends soon",
            name=row.name,
            secret=secret.name,
            end=timestamp(secret.expires),
            other_until=timestamp(max(each.expires for each in later)) if later else "none",
            renew=f"basegate principal rotate {row.name} --secret {secret.name}",
        )


def _key(row: PrincipalRow, secret: SecretRow) -> tuple[str, str, float]:
    return row.id, secret.name, secret.expires

"""What the gate has judged and refused since the start, for /metrics."""

import time
from collections.abc import Callable, Iterator, Sequence

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from policy.assessment.verdict_log import VerdictLog
from policy.enforcement.exemptions import Exemption
from policy.enforcement.refusals import Refusals
from registry.config.group import DAY

SOON_SECONDS = 14 * DAY


class EnforcementMetrics(Collector):
    """Reads its parts whenever somebody asks."""

    def __init__(
        self,
        verdicts: VerdictLog,
        refusals: Refusals,
        exemptions: Callable[[], Sequence[Exemption]],
        clock: Callable[[], float] = time.time,
    ) -> None:
        """`clock`: seconds since the epoch, for the ends of exemptions."""
        self._verdicts = verdicts
        self._refusals = refusals
        self._exemptions = exemptions
        self._clock = clock

    def collect(self) -> Iterator[Metric]:
        """Verdicts and how long they took, refusals, exemptions."""
        words = "Verdicts on manifests, when they are made first or turn."
        made = CounterMetricFamily("basegate_verdicts", words, labels=("verdict", "policy", "mode"))
        for labels, count in sorted(self._verdicts.counts.items()):
            made.add_metric(labels, count)
        words = "Refusals by the rules that stand against an image."
        refused = CounterMetricFamily("basegate_gate_refusals", words, labels=("door", "rule"))
        for doors, count in sorted(self._refusals.counts.items()):
            refused.add_metric(doors, count)
        yield from (made, refused, *self._verdicts.lag.collect())
        now = self._clock()
        live = [each.expires - now for each in self._exemptions() if each.expires > now]
        soon = sum(left <= SOON_SECONDS for left in live)
        yield GaugeMetricFamily("basegate_exemptions", "Exemptions that have not ended.", len(live))
        yield GaugeMetricFamily("basegate_exemptions_ending_soon", "Of these, those that end within 14 days.", soon)

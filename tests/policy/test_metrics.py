"""What /metrics says of inspection."""

from pathlib import Path

from prometheus_client import CollectorRegistry, generate_latest

from policy.metrics import JudgingMetrics
from tests.policy.images_made import good
from tests.policy.lab import open_lab


def test_layers_are_counted(tmp_path: Path) -> None:
    """Two layers, their bytes, one worker and no death."""
    with open_lab(tmp_path / "data") as lab:
        lab.pushed(good())
        collectors = CollectorRegistry()
        collectors.register(JudgingMetrics(lab.gate.inspector.workers))
        lines = generate_latest(collectors).decode().splitlines()
    read = sum(len(content) for content in good().layers)
    assert {"basegate_layers_opened_total 2.0", f"basegate_layer_bytes_opened_total {float(read)}"} <= set(lines)
    assert {"basegate_worker_deaths_total 0.0", "basegate_workers 1.0"} <= set(lines)

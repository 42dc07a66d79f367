"""What is ordered of retention, by several at once."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from registry.content.retention_state import order_days, order_undo, ordered_days, ordered_undo


def test_of_two_orders_at_once_none_is_lost(tmp_path: Path) -> None:
    """One says when untagged manifests go, the other how long they can be brought back: both hold, every time."""
    with ThreadPoolExecutor(2) as pool:
        for days in range(1, 51):
            both = [
                pool.submit(order_days, tmp_path, days),
                pool.submit(order_undo, tmp_path, days, kept=True),
            ]
            for each in both:
                each.result()
            assert (ordered_days(tmp_path), ordered_undo(tmp_path)) == (days, (days, True))

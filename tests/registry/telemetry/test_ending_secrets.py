"""Ends of secrets are told of before they come."""

import asyncio
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
import structlog
from prometheus_client import CollectorRegistry, generate_latest
from structlog.testing import capture_logs

from registry.auth.actions import Role
from registry.metadata import principals
from registry.metadata.open_store import open_metadata
from registry.metadata.principals import PrincipalRow, SecretRow
from registry.metadata.sqlite_store import SqliteStore
from registry.oci.timestamp import timestamp
from registry.telemetry.ending_secrets import EndingSecrets

DAY = 86_400.0
NOW = 1_000 * DAY


class Clock:
    """A time that a test sets."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> float:
        """The time."""
        return self.now


def principal(name: str, *days: float) -> PrincipalRow:
    """Somebody whose secrets end in so many days."""
    secrets = tuple(
        SecretRow(f"password{number}", "hash", NOW + left * DAY, 0.0) for number, left in enumerate(days, 1)
    )
    return PrincipalRow(f"id-of-{name}", name, Role.ACR_PULL.value, ("*",), True, 0.0, secrets)


@pytest.fixture(autouse=True)
def _every_line() -> None:
    """A server of another test may have left a log of errors alone."""
    structlog.reset_defaults()


@pytest.fixture(name="store")
def _store(tmp_path: Path) -> Iterator[SqliteStore]:
    with closing(open_metadata(tmp_path)) as store:
        rows = (
            principal("soon", 3.0, 300.0),
            principal("later", 20.0),
            principal("over", -1.0),
            replace(principal("off", 1.0), enabled=False),
        )
        for row in rows:
            asyncio.run(store.write(principals.add, row))
        yield store


def told(ending: EndingSecrets) -> list[tuple[str, str]]:
    """Look once: what was logged of whom."""
    with capture_logs() as lines:
        asyncio.run(ending.look())
    return [(line["event"], line["name"]) for line in lines]


def test_a_secret_is_told_of_once_a_day(store: SqliteStore) -> None:
    """Of those that are enabled, within the days of the setting."""
    clock = Clock()
    ending = EndingSecrets(store, lambda: 14, clock)
    assert told(ending) == [("a secret ends soon", "soon")]
    assert told(ending) == []
    clock.now += DAY
    assert told(ending) == [("a secret ends soon", "soon")]


def test_the_end_is_told_of_once(store: SqliteStore) -> None:
    """Of a secret that was told of before."""
    clock = Clock()
    ending = EndingSecrets(store, lambda: 14, clock)
    told(ending)
    clock.now += 4 * DAY
    assert told(ending) == [("a secret has ended", "soon")]
    assert told(ending) == []


def test_what_is_told(store: SqliteStore) -> None:
    """Which secret of whom, when it ends, how long the other lasts, and the command that renews it."""
    with capture_logs() as lines:
        asyncio.run(EndingSecrets(store, lambda: 14, Clock()).look())
    del lines[0]["log_level"]
    assert lines == [
        {
            "event": "a secret ends soon",
            "name": "soon",
            "secret": "password1",
            "end": timestamp(NOW + 3 * DAY),
            "other_until": timestamp(NOW + 300 * DAY),
            "renew": "basegate principal rotate soon --secret password1",
        }
    ]


@pytest.mark.parametrize(("days", "soon"), [(0, 0), (14, 1), (30, 2)])
def test_the_metrics(store: SqliteStore, days: int, soon: int) -> None:
    """How many end soon, and when the next does; no names."""
    ending, collectors = EndingSecrets(store, lambda: days, Clock()), CollectorRegistry()
    told(ending)
    collectors.register(ending)
    text = generate_latest(collectors).decode()
    assert f"basegate_secrets_ending_soon {soon:.1f}" in text
    assert ("basegate_secret_next_end_timestamp_seconds" in text) is bool(soon)
    assert "password1" not in text

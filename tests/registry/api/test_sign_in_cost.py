"""A refusal costs the same for every user name: hashes are counted, as they are what takes the time."""

import asyncio
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

from registry.auth import enrolment, secret_hash
from registry.auth.actions import Role
from registry.metadata import principals as rows
from tests.registry.api.guarded import guarded_registry
from tests.registry.auth.people import person

KNOWN, DISABLED, EXPIRED, HALF = (person(role) for role in list(Role)[:4])
NAMES = {
    "unknown": "nobody-of-this-name",
    "known": KNOWN.row.name,
    "known by id": KNOWN.row.id,
    "disabled": DISABLED.row.name,
    "expired": EXPIRED.row.name,
    "one expired": HALF.row.name,
    "empty": "",
    "endless": "x" * 5000,
}


class Counting:
    """The library's hashing, counted."""

    def __init__(self) -> None:
        self.count = 0

    def __call__(self, **parameters: Any) -> Argon2id:
        """A new hash is about to be made."""
        self.count += 1
        return Argon2id(**parameters)

    def verify_phc_encoded(self, known: bytes, phc: str) -> None:
        """A secret is compared with a hash."""
        self.count += 1
        Argon2id.verify_phc_encoded(known, phc)


@pytest.fixture(name="client")
def _client(tmp_path: Path) -> Iterator[httpx.Client]:
    """A client of a registry with principals in each state."""
    throttle = {"delay_seconds": 0.0, "pair_failures": 1000, "address_failures": 1000}
    with guarded_registry(tmp_path, throttle=throttle) as live, live.client() as opened:
        metadata = live.app.services.stores.metadata
        asyncio.run(metadata.write(enrolment.enable, DISABLED.row.name, enabled=False))
        for made, count in ((EXPIRED, 2), (HALF, 1)):
            ended = [replace(each, expires=time.time() - 1) for each in made.row.secrets[:count]]
            asyncio.run(metadata.write(rows.replace_secrets, made.row.id, ended))
        yield opened


@pytest.fixture(name="hashing")
def _hashing(monkeypatch: pytest.MonkeyPatch) -> Counting:
    counting = Counting()
    monkeypatch.setattr(secret_hash, "Argon2id", counting)
    return counting


def cost(client: httpx.Client, hashing: Counting, name: str, guess: str) -> int:
    """How many hashes a refusal costs."""
    before = hashing.count
    assert client.get("/oauth2/token", auth=(name, guess)).status_code == 401
    return hashing.count - before


@pytest.mark.parametrize("name", NAMES.values(), ids=NAMES)
def test_every_refusal_costs_two_hashes(client: httpx.Client, hashing: Counting, name: str) -> None:
    """As many as a principal can have secrets; the same guess again is remembered, for any name alike."""
    assert [cost(client, hashing, name, guess) for guess in ("a", "a", "b")] == [2, 0, 2]


def test_guess_that_was_tried_for_another_name(client: httpx.Client, hashing: Counting) -> None:
    """What one name was refused says nothing about the next, known or not."""
    cost(client, hashing, "somebody-else", "a")
    assert [cost(client, hashing, name, "a") for name in NAMES.values()] == [2] * len(NAMES)


@pytest.mark.parametrize("made", [DISABLED, EXPIRED, HALF])
def test_right_secret_that_does_not_count_any_more(client: httpx.Client, hashing: Counting, made: Any) -> None:
    """It costs what a wrong one costs."""
    assert cost(client, hashing, made.row.name, made.secret()) == 2


def test_right_secret_is_hashed_until_it_is_found(client: httpx.Client, hashing: Counting) -> None:
    """Once, and then no more, by whatever name."""
    replies = [client.get("/v2/", auth=(name, KNOWN.secret())) for name in (KNOWN.row.name, KNOWN.row.id)]
    assert ([reply.status_code for reply in replies], hashing.count) == ([200, 200], 1)

"""Contexts that wait for their build: who makes way for whom."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from policy.azure.arm_errors import ArmError
from policy.azure.builds.contexts import Context, Contexts
from policy.azure.builds.settings import BuildSettings


@pytest.fixture
def contexts(tmp_path: Path) -> Contexts:
    """Eight may wait."""
    return Contexts(tmp_path / "contexts", lambda: BuildSettings(at_once=1, waiting=7))


def waits(contexts: Contexts, context: Context) -> bool:
    """Whether its address still opens."""
    try:
        return contexts.addressed(context.id, context.key) is context
    except ArmError:
        return False


def test_an_owner_pushes_out_its_own(contexts: Contexts) -> None:
    """Not those of others, however many it begins."""
    other = contexts.begin("other")
    own = [contexts.begin("busy") for _ in range(20)]
    assert waits(contexts, other)
    assert [waits(contexts, each) for each in own[-3:]] == [False, True, True]


def test_many_owners_push_out_nobodys(contexts: Contexts) -> None:
    """However few builds may wait."""
    begun = [contexts.begin(f"owner {number}") for number in range(50)]
    assert [waits(contexts, each) for each in begun] == [True] * 50


def test_a_full_disk_is_told_before_anything_is_sent(tmp_path: Path) -> None:
    """It needs room for one context and for `free_bytes`."""
    contexts = Contexts(tmp_path / "contexts", lambda: BuildSettings(free_bytes=1 << 60))
    with pytest.raises(ArmError, match="no room"):
        contexts.begin("owner")


def test_what_comes_is_kept_whole(contexts: Contexts) -> None:
    """Piece by piece."""

    async def pieces() -> AsyncIterator[bytes]:
        for number in range(100):
            yield b"%d," % number

    context = contexts.begin("owner")
    asyncio.run(contexts.receive(context, pieces()))
    assert contexts.take(context.location, "owner").path.read_bytes() == b"".join(b"%d," % n for n in range(100))


def test_an_address_whose_time_is_over_opens_nothing(tmp_path: Path) -> None:
    """And what was sent there goes."""
    over = BuildSettings().model_copy(update={"link_seconds": 0})
    contexts = Contexts(tmp_path / "contexts", lambda: over)
    context = contexts.begin("owner")
    context.path.write_bytes(b"sent")
    with pytest.raises(ArmError, match="has ended: begin the build again"):
        contexts.addressed(context.id, context.key)
    contexts.sweep()
    assert [*(tmp_path / "contexts").iterdir()] == []


def test_what_a_build_waits_with_stays(contexts: Contexts) -> None:
    """However many others are sent meanwhile; it goes with the build."""
    context = contexts.begin("owner")
    context.path.write_bytes(b"sent")
    context.whole = True
    taken = contexts.take(context.location, "owner")
    contexts.begin("other")
    assert taken.path.read_bytes() == b"sent"
    path = taken.path
    del context, taken
    contexts.begin("other")
    assert not path.exists()

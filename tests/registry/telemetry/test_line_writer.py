"""Lines that leave together."""

import asyncio

from registry.telemetry.line_writer import LineWriter


def test_lines_of_one_turn_leave_in_one_write() -> None:
    """In their order."""
    written: list[str] = []

    async def turn() -> None:
        lines = LineWriter(written.append)
        lines.add("a")
        lines.add("b")
        await asyncio.sleep(0)

    asyncio.run(turn())
    assert written == ["a\nb\n"]


def test_a_line_leaves_at_once_without_a_loop() -> None:
    """Commands write as they go."""
    written: list[str] = []
    lines = LineWriter(written.append)
    lines.add("a")
    lines.add("b")
    assert written == ["a\n", "b\n"]


def test_flushing_writes_what_is_collected_once() -> None:
    """At the end of a server."""
    written: list[str] = []

    async def turn() -> None:
        lines = LineWriter(written.append)
        lines.add("a")
        lines.flush()

    asyncio.run(turn())
    assert written == ["a\n"]

"""The thread that writes: in order, in groups, to the end."""

import threading
from collections.abc import Callable

import pytest

from registry.database.writer import WriterThread

LARGEST = 8


class Groups(list[list[int]]):
    """What was committed; `ready` lets the first commit end."""

    def __init__(self) -> None:
        super().__init__()
        self.began, self.ready = threading.Event(), threading.Event()

    def commit(self, group: list[int]) -> None:
        """Take a group, and wait until that may end."""
        self.began.set()
        assert self.ready.wait(10)
        self.append(group)


def written(groups: Groups, gather_seconds: float, put: Callable[[WriterThread[int]], None]) -> Groups:
    """Whatever was committed of what `put` put."""
    writer: WriterThread[int] = WriterThread("writer", groups.commit, largest=LARGEST, gather_seconds=gather_seconds)
    put(writer)
    groups.ready.set()
    writer.close()
    return groups


@pytest.mark.parametrize("gather_seconds", [0.0, 0.05])
def test_everything_is_done_in_its_order(gather_seconds: float) -> None:
    """By the end of `close`, in groups that are not larger than they may be."""

    def put(writer: WriterThread[int]) -> None:
        for number in range(100):
            writer.put(number)

    groups = written(Groups(), gather_seconds, put)
    assert [number for group in groups for number in group] == list(range(100))
    assert max(len(group) for group in groups) <= LARGEST


def test_what_comes_meanwhile_is_one_group() -> None:
    """While one is committed the next gathers by itself."""
    groups = Groups()

    def put(writer: WriterThread[int]) -> None:
        writer.put(0)
        assert groups.began.wait(10)
        for number in range(1, 6):
            writer.put(number)

    assert written(groups, 0.0, put) == [[0], [1, 2, 3, 4, 5]]


def test_what_nobody_waits_for_is_gathered() -> None:
    """Until somebody does."""
    groups = Groups()

    def put(writer: WriterThread[int]) -> None:
        for number in range(3):
            writer.put(number)
        writer.hurry()
        assert groups.began.wait(10)  # long before its time is over

    assert written(groups, 3600.0, put) == [[0, 1, 2]]


def test_a_group_behind_a_full_one_is_not_waited_for() -> None:
    """It has waited for that one already."""

    def put(writer: WriterThread[int]) -> None:
        for number in range(LARGEST + 3):
            writer.put(number)
        writer.hurry()

    assert [len(group) for group in written(Groups(), 3600.0, put)] == [LARGEST, 3]


def test_closing_twice_is_closing() -> None:
    """And an end without work is one."""
    writer: WriterThread[int] = WriterThread("writer", Groups().commit, largest=LARGEST)
    writer.close()
    writer.close()

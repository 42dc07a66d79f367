"""Long texts are read beside the event loop, in turns that keep nobody waiting."""

import asyncio
import sys
import threading
from collections.abc import Callable

from registry.config.settings import RegistrySettings, SettingsInForce
from registry.content.parsing import Parsing

LONG = RegistrySettings().limits.loop_bytes + 1


def read(size: int, work: Callable[[], float]) -> float:
    """What work makes of a text of so many bytes, with default settings."""
    return asyncio.run(Parsing(SettingsInForce(RegistrySettings())).read(size, work))


def test_a_short_text_is_read_where_it_is() -> None:
    """Handing it over would take longer."""
    assert read(LONG - 1, threading.get_ident) == threading.get_ident()


def test_a_long_text_is_read_by_another_thread() -> None:
    """Others are answered meanwhile."""
    assert read(LONG, threading.get_ident) != threading.get_ident()


def test_others_get_their_turn_sooner_while_a_long_text_is_read() -> None:
    """And as usual afterwards."""
    usual = sys.getswitchinterval()
    assert read(LONG, sys.getswitchinterval) < usual / 2
    assert sys.getswitchinterval() == usual


def test_two_that_overlap_leave_it_as_it_was() -> None:
    """The one that ends first does not end the short turns of the other, nor does the other keep them."""
    usual, both = sys.getswitchinterval(), threading.Barrier(2)

    def work() -> float:
        both.wait(60)
        return sys.getswitchinterval()

    threads = [threading.Thread(target=read, args=(LONG, work)) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sys.getswitchinterval() == usual

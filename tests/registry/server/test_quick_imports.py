"""What quick imports leave behind: nothing but the modules."""

import gc
import os
import subprocess
import sys

import pytest

from registry.server.quick_imports import quick_imports

_NO_PLUGINS = "PYDANTIC_DISABLE_PLUGINS"


@pytest.mark.parametrize("collects", [True, False])
def test_the_process_is_as_it_was(collects: bool) -> None:
    """The collector, the environment and what can be imported, also when an import fails."""
    before = dict(os.environ)
    (gc.enable if collects else gc.disable)()
    try:
        with quick_imports():
            assert not gc.isenabled()
            assert _NO_PLUGINS in os.environ
        with pytest.raises(ModuleNotFoundError), quick_imports():
            __import__("no_module_of_this_name")
        assert (gc.isenabled(), dict(os.environ)) == (collects, before)
    finally:
        gc.enable()


def test_the_collector_has_nothing_to_catch_up_with() -> None:
    """What was imported is old: the next object that is made has nobody walk all of it."""
    with quick_imports():
        made = [[number] for number in range(10_000)]
    assert gc.get_count()[0] < len(made)
    assert gc.is_tracked(made)
    assert gc.get_freeze_count() == 0


def test_rich_is_there_afterwards() -> None:
    """Hidden while the server is imported, which then has none of it; a program that wants it imports it."""
    program = """
import sys
from registry.server.quick_imports import quick_imports
with quick_imports():
    import policy.testing.server
print([name for name in sys.modules if name.startswith(("rich", "pygments", "httpx._main"))])
import rich.table
print(rich.table.Table.__name__)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.stdout == "[]\nTable\n", done.stderr

"""Standing orders: kept durably, changed by several processes, followed by those that run."""

import json
import subprocess
import sys
import time
from pathlib import Path

import pytest

from policy.enforcement.exemptions import Exemption
from policy.enforcement.operator_file import (
    Activation,
    OperatorFile,
    OperatorFileInForce,
    OperatorFileRefused,
    change_orders,
    read_orders,
)

ACTIVATION = Activation("*", "lab", "sha256:0", {"name": "lab"}, 1.0)
EXEMPTION = Exemption("ab12", "*", "", "*", "ann", "because", 2.0)

CHANGE = """
import sys
from pathlib import Path
from policy.enforcement.exemptions import Exemption
from policy.enforcement.operator_file import change_orders
for number in range(20):
    made = Exemption(f"{sys.argv[2]}-{number}", "*", "", "*", "a", "r", 1.0)
    change_orders(Path(sys.argv[1]), lambda orders: orders.with_exemption(made))
"""


def test_no_file_means_no_orders(tmp_path: Path) -> None:
    """A new data folder has no orders."""
    assert read_orders(tmp_path / "none.json") == OperatorFile()


def test_orders_come_back_as_given(tmp_path: Path) -> None:
    """What was ordered is read again."""
    path = tmp_path / "orders.json"
    change_orders(path, lambda orders: orders.with_activation(ACTIVATION).with_exemption(EXEMPTION))
    assert read_orders(path) == OperatorFile((ACTIVATION,), (EXEMPTION,))


def test_one_activation_for_a_pattern() -> None:
    """A later activation of the same pattern takes the place of the earlier one."""
    later = Activation("*", "other", "sha256:1", {"name": "other"}, 2.0)
    assert OperatorFile((ACTIVATION,)).with_activation(later).activations == (later,)


def test_an_exemption_can_be_taken_back() -> None:
    """By its id."""
    assert OperatorFile((), (EXEMPTION,)).without_exemption("ab12").exemptions == ()


def test_changes_of_several_processes_follow_one_another(tmp_path: Path) -> None:
    """No change is lost when two processes write at a time."""
    path = tmp_path / "orders.json"
    running = [subprocess.Popen([sys.executable, "-c", CHANGE, str(path), name]) for name in "ab"]
    assert [process.wait(60) for process in running] == [0, 0]
    assert len(read_orders(path).exemptions) == 40


def test_a_change_is_followed(tmp_path: Path) -> None:
    """A process that runs sees what another ordered, and that something changed."""
    path = tmp_path / "orders.json"
    followed = OperatorFileInForce(path)
    change_orders(path, lambda orders: orders.with_exemption(EXEMPTION))
    deadline = time.monotonic() + 5
    while not followed.current().exemptions and time.monotonic() < deadline:
        time.sleep(0.02)
    assert (followed.current().exemptions, followed.changes) == ((EXEMPTION,), 1)


@pytest.mark.parametrize("content", ["{", "[]", '{"activations": []}', json.dumps({"activations": [1]})])
def test_a_broken_file_is_refused_at_the_start(tmp_path: Path, content: str) -> None:
    """Orders that cannot be read are not taken for none."""
    path = tmp_path / "orders.json"
    path.write_text(content)
    with pytest.raises(OperatorFileRefused, match=r"cannot be read .* restore it from a copy or remove it"):
        OperatorFileInForce(path)


def test_a_file_that_breaks_later_changes_nothing(tmp_path: Path) -> None:
    """The orders of before stand."""
    path = tmp_path / "orders.json"
    change_orders(path, lambda orders: orders.with_exemption(EXEMPTION))
    followed = OperatorFileInForce(path)
    path.write_text("{")
    time.sleep(0.25)
    assert followed.current().exemptions == (EXEMPTION,)

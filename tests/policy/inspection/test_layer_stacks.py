"""Composing layers lazily gives what unpacking them one by one gives.

`FUZZ_CASES` raises the number of stacks.
"""

import os

from hypothesis import HealthCheck, assume, event, given, settings

from policy.inspection.image.ambiguous_links import roots
from policy.inspection.image.merged_root import RootUnclear
from tests.policy.inspection.flattening import CannotUnpack, flattened
from tests.policy.inspection.layer_stacks import Stack, everything, inspected, stacks

EXAMPLES = max(150, int(os.environ.get("FUZZ_CASES", "0")) // 20)


def expected(stack: Stack) -> dict[str, tuple[str, str]]:
    """What unpacking makes; stacks that no unpacker takes are not compared."""
    try:
        return flattened(stack)
    except CannotUnpack:
        assume(False)
        raise


@settings(
    max_examples=EXAMPLES, deadline=None, suppress_health_check=[HealthCheck.filter_too_much, HealthCheck.too_slow]
)
@given(stacks(links=False))
def test_stack_without_links_equals_the_unpacked_one(stack: Stack) -> None:
    """Whiteouts, opaque directories, replacements, hard links and devices, in any order."""
    wanted = expected(stack)
    layers = inspected(stack)
    # A marker is refused after any member of a directory that was not named, also where that is gone again.
    assert {layer.problem.reason for layer in layers if layer.problem} <= {"whiteout-order"}
    assume(not any(layer.problem for layer in layers))
    assert everything(roots(layers)[-1], layers, wanted) == wanted


@settings(
    max_examples=EXAMPLES, deadline=None, suppress_health_check=[HealthCheck.filter_too_much, HealthCheck.too_slow]
)
@given(stacks())
def test_stack_with_links_equals_the_unpacked_one(stack: Stack) -> None:
    """Links in parents are followed as unpackers do; where basegate declines to say, that is counted."""
    wanted = expected(stack)
    layers = inspected(stack)
    try:
        root = roots(layers)[-1]
        found = everything(root, layers, wanted)
    except RootUnclear as unclear:
        event(f"unclear: {str(unclear)[:30]}")
        return
    if any(layer.problem for layer in layers):
        event("problem in a layer")
        return
    event("compared")
    assert found == wanted

"""Messages have an end, and their reasons are in front of it."""

import pytest

from policy.assessment.verdict import Verdict, judge_image
from policy.definition.policy import DEFAULT, known_policies
from policy.enforcement.denial import refusal, refusal_detail
from policy.inspection.facts import Problem
from policy.rules.text_limits import REFUSAL_LIMIT, elided, elided_bytes, listed
from tests.policy.facts_made import image

POLICY = known_policies()[DEFAULT]


def damaged(count: int, name: str = "x") -> Verdict:
    """The verdict on an image of so many damaged layers."""
    said = f"({'sha256:' + 'a' * 12}…): the archive ends inside member {name!r}"
    return judge_image(
        "sha256:1",
        image(problems=tuple(Problem("damaged-layer", f"layer {at} {said}", "", at) for at in range(count))),
        POLICY,
    )


@pytest.mark.parametrize("count", [1, 2, 20, 127])
@pytest.mark.parametrize("name", ["x", "é" * 4000, "\udcff" * 4000, "😀" * 4000])
def test_a_refusal_is_bounded(count: int, name: str) -> None:
    """Whatever the number of layers and the length of names; the first reason is in it to its end."""
    text = refusal("team/app:v1", POLICY, damaged(count, name))
    assert len(text.encode(errors="surrogatepass")) <= REFUSAL_LIMIT
    assert text.startswith("team/app:v1 is not cleared by policy azureml-2019-07: cannot be inspected: layer 0")
    assert count < 20 or " more" in text


def test_what_has_no_room_is_counted() -> None:
    """Twenty reasons of a hundred bytes: some are said, and the number of the others."""
    said = listed("a: ", [f"{at:02}{'x' * 98}" for at in range(20)], 500)
    assert said.count("x" * 98) == 4
    assert said.endswith("; and 16 more")


def test_one_reason_is_said_once() -> None:
    """The same twice is one reason."""
    assert listed("a: ", ["b", "b"]) == "a: b"


def test_the_middle_is_left_out() -> None:
    """Beginning and end stay."""
    assert elided("abcdefghij", 5) == "ab…ij"
    assert elided("abcde", 5) == "abcde"
    assert len(elided_bytes("é" * 100, 51).encode()) <= 51


def test_the_detail_is_bounded_too() -> None:
    """Clients print it: twenty findings, and how many more there are."""
    detail = refusal_detail("team/app", "sha256:1", POLICY, damaged(127))
    assert (len(detail["findings"]), detail["more"]) == (20, 107)
    assert "more" not in refusal_detail("team/app", "sha256:1", POLICY, damaged(3))
    assert "changes" not in detail["findings"][0]

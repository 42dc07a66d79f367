"""Answers: the documented shape, and how a configuration's remarks weigh."""

import pytest

from policy.gateway.check_result import CheckResult
from policy.gateway.inference_config.remarks import Remark, fail, unsure, warn

CLEARED = CheckResult(allowed=True, verdict="cleared", reference="h:1/a:v1", digest="sha256:" + "a" * 64)


def test_shape() -> None:
    """The members of the fixed surface, in order, with null for what is not known."""
    document = CheckResult.unresolved("h:1/a:v1", "no such image").document()
    assert list(document) == ["allowed", "verdict", "reference", "digest", "policy", "facts", "findings"]
    assert document["facts"] == {"os": None, "conda": None, "python": None, "base_python": None}
    assert document["findings"] == [
        {"rule": "reference", "result": "error", "message": "no such image", "evidence": []}
    ]


def test_round_trip() -> None:
    """A document read back is the same answer."""
    answer = CLEARED.with_remarks([warn("w")])
    assert CheckResult.from_document(answer.document()) == answer


@pytest.mark.parametrize(("remark", "allowed"), [(warn("w"), True), (unsure("u"), False), (fail("f"), False)])
def test_what_remarks_weigh(remark: Remark, allowed: bool) -> None:
    """A warning leaves a clearance alone; anything heavier takes it away, the verdict on the image staying."""
    answer = CLEARED.with_remarks([remark])
    assert (answer.allowed, answer.verdict) == (allowed, "cleared")
    assert answer.findings[0]["message"] == remark.message


def test_a_remark_never_allows() -> None:
    """What was denied stays denied."""
    assert not CheckResult.unresolved("h:1/a:v1", "no such image").with_remarks([warn("w")]).allowed


def test_could_tell() -> None:
    """Without a digest the gate could not tell, unless the configuration itself is at fault."""
    nothing = CheckResult.unresolved("h:1/a:v1", "no such image")
    assert not nothing.could_tell
    assert nothing.with_remarks([fail("f")]).could_tell
    assert CLEARED.could_tell


def test_anything_but_true_is_not_allowed() -> None:
    """A document whose `allowed` is not the JSON value true denies."""
    assert not CheckResult.from_document(CLEARED.document() | {"allowed": "yes"}).allowed

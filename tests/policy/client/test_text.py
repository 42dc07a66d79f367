"""Answers in words."""

from collections.abc import Mapping
from dataclasses import replace

import pytest

from policy.client.text import in_words
from policy.gateway.check_result import CheckResult

DIGEST = "sha256:" + "a" * 64
FACTS = {"os": {"id": "ubuntu", "version": "16.04"}, "conda": {"version": "4.5.12"}, "python": {"version": "3.7.0"}}
POLICY = {"name": "azureml-2019-07", "digest": DIGEST}
BAD = {
    "rule": "python-version",
    "result": "fail",
    "message": "Python 3.7.0 found at opt/x (layer 3); needs 3.5.x or 3.6.x",
    "evidence": [],
    "fix": "conda install python=3.6",
}


def answer(verdict: str, *findings: Mapping[str, object]) -> CheckResult:
    """An answer on an image that was found."""
    return CheckResult(verdict == "cleared", verdict, "h:1/a:v1", DIGEST, POLICY, FACTS, findings)


def test_allowed() -> None:
    """The decision first, then the digest and the facts that carried it."""
    assert in_words(answer("cleared")).splitlines() == [
        "allowed: h:1/a:v1 is cleared by policy azureml-2019-07",
        f"  digest  {DIGEST}",
        "  os      ubuntu 16.04",
        "  conda   4.5.12",
        "  python  3.7.0",
    ]


def test_denied_says_found_needed_and_to_do() -> None:
    """A refusal names the finding and the nearest fix."""
    lines = in_words(answer("refused", BAD)).splitlines()
    assert lines[0] == "denied: h:1/a:v1 is refused by policy azureml-2019-07"
    assert lines[-2:] == [f"  found: {BAD['message']}", "  to do: conda install python=3.6"]


def test_pending_asks_for_patience() -> None:
    """A pending image is denied for now."""
    assert "ask again" in in_words(answer("pending"))


def test_could_not_tell() -> None:
    """Without an image there is no verdict to word."""
    words = in_words(CheckResult.unresolved("h:1/a:v1", "no such image"))
    assert words.splitlines() == ["could not tell: h:1/a:v1", "  found: no such image"]


def test_facts_not_found() -> None:
    """A fact that was not found is said to be so."""
    nothing = CheckResult(allowed=False, verdict="refused", reference="h:1/a:v1", digest=DIGEST, policy=POLICY)
    assert "  conda   none found" in in_words(nothing)


def test_an_image_cannot_steer_the_terminal() -> None:
    """Control characters that stand in a path or reference are made visible."""
    words = in_words(answer("refused", BAD | {"message": "found at a\x1b[2Jb\nallowed: c"}))
    assert "a\\x1b[2Jb\\x0aallowed: c" in words


def test_allowed_although_it_is_refused() -> None:
    """An exemption lets a refused image through: the first line says both, and the note says why."""
    note = {"rule": "gate", "result": "warn", "message": "Python 3.7.0 found (exempted until 2030 by ann: lab)"}
    exempted = replace(answer("refused", note, BAD), allowed=True)
    lines = in_words(exempted).splitlines()
    assert lines[0] == "allowed: h:1/a:v1, although policy azureml-2019-07 refuses it"
    assert f"  note: {note['message']}" in lines


def test_denied_although_it_is_cleared() -> None:
    """A configuration at fault denies a cleared image, which is not the image's fault."""
    denied = replace(answer("cleared"), allowed=False)
    assert in_words(denied).startswith("denied: h:1/a:v1 is cleared by policy azureml-2019-07, but what names it")


@pytest.mark.parametrize(
    ("verdict", "said"),
    [("inconclusive", "not looked at"), ("not-applicable", "not looked at"), ("pending", "not looked at yet")],
)
def test_what_was_not_looked_at_is_not_none(verdict: str, said: str) -> None:
    """`none found` is said of what was looked for."""
    nothing = CheckResult(allowed=False, verdict=verdict, reference="h:1/a:v1", digest=DIGEST, policy=POLICY)
    assert f"  os      {said}" in in_words(nothing).splitlines()


def test_what_was_found_is_told_beside_what_is_not_known() -> None:
    """An image that is inconclusive for its Python shows its operating system."""
    known = replace(answer("inconclusive"), facts=FACTS | {"python": None})
    assert in_words(known).splitlines()[2:] == ["  os      ubuntu 16.04", "  conda   4.5.12", "  python  not known"]


def test_a_version_that_is_not_known() -> None:
    """Something was found, and its version could not be read."""
    assert "  python  found, its version is not known" in in_words(
        replace(answer("refused"), facts=FACTS | {"python": {"version": None}})
    )


def test_the_other_python_is_told_beside_it() -> None:
    """Only where it is another one."""
    for base, ending in (("3.6.8", " (in Conda's base environment: 3.6.8)"), ("3.7.0", ""), (None, "")):
        facts = FACTS | {"base_python": base and {"version": base}}
        assert f"  python  3.7.0{ending}" in in_words(replace(answer("cleared"), facts=facts)).splitlines()


def test_changes_are_shown_as_lines_of_a_dockerfile() -> None:
    """In words first, and each only once."""
    changes = [{"action": "path", "words": "put /x/bin first on PATH", "lines": ["ENV PATH=/x/bin:$PATH"]}]
    lines = in_words(answer("refused", BAD | {"changes": changes}, BAD | {"changes": changes})).splitlines()
    assert lines[-2:] == ["  to do: put /x/bin first on PATH", "         ENV PATH=/x/bin:$PATH"]
    assert len(lines) == 8


def test_a_hundred_findings_are_counted() -> None:
    """A screen is not flooded."""
    many = [BAD | {"message": f"layer {at} is damaged", "fix": f"make layer {at} anew"} for at in range(100)]
    lines = in_words(answer("inconclusive", *many)).splitlines()
    assert len(lines) == 5 + 11 + 11
    assert "  and 90 more: basegate explain --json shows all of them" in lines

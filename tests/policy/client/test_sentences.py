"""Answers in words."""

from collections.abc import Mapping

from policy.client.sentences import in_words
from policy.gateway.answer import Answer

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


def answer(verdict: str, *findings: Mapping[str, object]) -> Answer:
    """An answer on an image that was found."""
    return Answer(verdict == "cleared", verdict, "h:1/a:v1", DIGEST, POLICY, FACTS, findings)


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
    words = in_words(Answer.unresolved("h:1/a:v1", "no such image"))
    assert words.splitlines() == ["could not tell: h:1/a:v1", "  found: no such image"]


def test_facts_not_found() -> None:
    """A fact that was not found is said to be so."""
    nothing = Answer(allowed=False, verdict="refused", reference="h:1/a:v1", digest=DIGEST, policy=POLICY)
    assert "  conda   none found" in in_words(nothing)


def test_an_image_cannot_steer_the_terminal() -> None:
    """Control characters that stand in a path or reference are made visible."""
    words = in_words(answer("refused", BAD | {"message": "found at a\x1b[2Jb\nallowed: c"}))
    assert "a\\x1b[2Jb\\x0aallowed: c" in words

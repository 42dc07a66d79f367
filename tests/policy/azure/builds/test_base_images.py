"""Which images a Dockerfile begins with or copies from."""

import pytest

from policy.azure.builds.base_images import base_images, has_run_line


@pytest.mark.parametrize(
    ("text", "images"),
    [
        ("FROM a:v1\nRUN x", ["a:v1"]),
        ("FROM scratch", []),
        ("from --platform=linux/amd64 a:v1 as base\nFROM base\nFROM b", ["a:v1", "b"]),
        ("ARG BASE=a:v1\nFROM $BASE", ["a:v1"]),
        ("ARG TAG\nFROM localhost:5000/a:${TAG}", ["localhost:5000/a:v9"]),
        ("FROM a\nCOPY --chown=1 --from=b:v2 /x /y\nCOPY --from=0 /x /y", ["a", "b:v2"]),
        ("FROM a AS one\nCOPY --from=one /x /y", ["a"]),
        ("# FROM no\nRUN echo FROM", []),
        ("FROM", []),
        ("", []),
    ],
)
def test_they_are_found(text: str, images: list[str]) -> None:
    """Stages are none, and arguments are filled in."""
    assert list(base_images(text, {"TAG": "v9"})) == images


@pytest.mark.parametrize(
    "text",
    ["\n" * 1_000_000, "ARG A=" + "x" * 500_000 + "\nFROM " + "$A" * 250_000, "ARG A=" + "x" * 500 + "\nFROM $A$A"],
    ids=["lines without end", "a name that grows", "a name that is too long"],
)
def test_what_never_is_a_name_is_passed_over(text: str) -> None:
    """In time and room that the text's length bounds: it is read beside every other request."""
    assert base_images(text, {}) == ()


@pytest.mark.parametrize(
    ("text", "runs"),
    [("FROM a\n  run true", True), ("FROM a\nCOPY run /\n# RUN x\nLABEL a=RUN", False)],
)
def test_run_lines_are_seen(text: str, runs: bool) -> None:
    """However they are written."""
    assert has_run_line(text) is runs

"""Sentences on pages begin with a capital, where they begin with a word."""

import pytest

from policy.web.figures import capital


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("an executable file at /bin/sh", "An executable file at /bin/sh"),
        ("linux/arm64: Ubuntu 16.04 found", "linux/arm64: Ubuntu 16.04 found"),
        ("opt/conda is not there", "opt/conda is not there"),
        ("'x' is no condition", "'x' is no condition"),
        ("none, so far", "None, so far"),
        ("", ""),
    ],
)
def test_a_name_stays_what_it_is(text: str, shown: str) -> None:
    """A path, a platform or something in quotation marks."""
    assert capital(text) == shown

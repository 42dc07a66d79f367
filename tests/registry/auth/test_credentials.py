"""The `Authorization` header, read."""

import pytest

from registry.auth.credentials import BearerToken, CredentialsMalformed, UserSecret, parse_authorization
from tests.registry.auth.people import basic


def test_basic() -> None:
    """The secret may hold colons and letters of any script (RFC 7617 with UTF-8)."""
    assert parse_authorization(basic("ci", "pä:ss")) == UserSecret("ci", "pä:ss")


def test_bearer() -> None:
    """The scheme's case does not matter."""
    assert parse_authorization("bEaReR  abc.def ") == BearerToken("abc.def")


@pytest.mark.parametrize("header", [None, ""])
def test_nothing(header: str | None) -> None:
    """No header, no credentials."""
    assert parse_authorization(header) is None


@pytest.mark.parametrize(
    "header",
    [
        "Basic",
        "Basic !!!",
        "Basic \xe9\xff",
        "Basic bm9jb2xvbg==",
        "Basic gICAgDo=",
        "Digest a=b",
        "Bearer",
        "Bearer " + "a" * 70_000,
    ],
)
def test_malformed(header: str) -> None:
    """What cannot be read is an error, not the anonymous caller."""
    with pytest.raises(CredentialsMalformed):
        parse_authorization(header)


def test_secrets_are_not_shown() -> None:
    """A log of the object does not hold the secret."""
    assert "hidden" not in repr(UserSecret("ci", "hidden"))
    assert "hidden" not in repr(BearerToken("hidden"))

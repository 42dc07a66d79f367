"""Parses the `Authorization` header (RFC 7617 Basic, RFC 6750 Bearer)."""

import base64
from dataclasses import dataclass, field

NULL_GUID = "00000000-0000-0000-0000-000000000000"
"""The user name that says "the password is a token" (what `az acr login` hands to docker)."""

HEADER_MAXIMUM = 65_536


@dataclass(frozen=True, slots=True)
class UserSecret:
    """A user name with a secret."""

    username: str
    secret: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class BearerToken:
    """A token."""

    text: str = field(repr=False)


class CredentialsMalformed(Exception):
    """The header is malformed."""


Credentials = UserSecret | BearerToken


def parse_authorization(header: str | None) -> Credentials | None:
    """Parse an `Authorization` header; `None` when there is none.

    Raises:
        CredentialsMalformed: the scheme is not Basic or Bearer, or its form is wrong.
    """
    if not header:
        return None
    scheme, _, value = header.strip().partition(" ")
    value = value.strip()
    if len(header) > HEADER_MAXIMUM or not value:
        raise CredentialsMalformed
    if scheme.lower() == "bearer":
        return BearerToken(value)
    if scheme.lower() != "basic":
        raise CredentialsMalformed
    try:
        user, colon, secret = base64.b64decode(value, validate=True).decode().partition(":")
    except ValueError as error:  # no base64, no ASCII, or bytes that are no UTF-8
        raise CredentialsMalformed from error
    if not colon:
        raise CredentialsMalformed
    return UserSecret(user, secret)

"""Tokens: their claims, their life, and what is no token of ours."""

import base64
import json
import uuid
from pathlib import Path
from typing import Any

import jwt
import pytest

from registry.auth.actions import Role
from registry.auth.principals import Principal, anonymous
from registry.auth.scopes import CATALOG_SCOPE, Scope
from registry.auth.signing_key import SigningKey, signing_key
from registry.auth.tokens import ACCESS, REFRESH, TokenRefused, Tokens
from registry.settings import RegistrySettings, SettingsInForce

WHO = Principal(str(uuid.uuid4()), "ci", Role.ACR_PUSH)
PULL = Scope("repository", "team/app", ("pull",))


class Clock:
    """Seconds that pass when told to."""

    now = 1_700_000_000.0

    def __call__(self) -> float:
        """The time."""
        return self.now


@pytest.fixture
def clock() -> Clock:
    """A clock that stands still."""
    return Clock()


@pytest.fixture
def key(tmp_path: Path) -> SigningKey:
    """A key of its own."""
    return signing_key(tmp_path)


@pytest.fixture
def tokens(key: SigningKey, clock: Clock) -> Tokens:
    """Tokens with the default settings."""
    return Tokens(key, SettingsInForce(RegistrySettings()), clock)


def parts(text: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Header and claims of a token, unchecked."""
    header, claims, _ = text.split(".")
    return tuple(json.loads(base64.urlsafe_b64decode(part + "==")) for part in (header, claims))


def test_access_token_has_acrs_claims(tokens: Tokens, key: SigningKey, clock: Clock) -> None:
    """The reference's members, `access` in lower case, an hour from now, back-dated by 15 minutes."""
    issued = tokens.access(WHO, [PULL])
    header, claims = parts(issued.text)
    assert header == {"alg": "ES256", "typ": "JWT", "kid": key.kid}
    assert claims["access"] == [{"type": "repository", "name": "team/app", "actions": ["pull"]}]
    assert (claims["grant_type"], claims["version"], claims["sub"]) == ("access_token", "2.0", WHO.id)
    assert (claims["exp"] - clock.now, claims["nbf"] - clock.now) == (3600, -900)
    assert {"jti", "iat", "iss", "aud", "rid", "appid", "roles"} <= claims.keys()


def test_refresh_token_lives_three_hours(tokens: Tokens, clock: Clock) -> None:
    """It says what the role permits in ACR's words and grants nothing itself."""
    _, claims = parts(tokens.refresh(WHO).text)
    assert claims["exp"] - clock.now == 10_800
    assert claims["permissions"] == {"Actions": ["read", "write"], "NotActions": None}
    assert "access" not in claims


def test_anonymous_token_lives_five_minutes(tokens: Tokens, clock: Clock) -> None:
    """Its subject is ACR's word for the anonymous puller."""
    _, claims = parts(tokens.access(anonymous(may_pull=True), [PULL]).text)
    assert (claims["sub"], claims["exp"] - clock.now) == ("acr_anon_pull", 300)


@pytest.mark.parametrize("round_", range(20))
def test_claims_never_need_the_last_two_base64_letters(tokens: Tokens, round_: int) -> None:
    """The Azure SDK decodes claims with the wrong alphabet; without ~ ? > there is no difference."""
    for issued in (tokens.access(WHO, [PULL, CATALOG_SCOPE]), tokens.refresh(WHO)):
        assert not set(issued.text.split(".")[1]) & set("-_")


def test_read_gives_back_what_was_granted(tokens: Tokens) -> None:
    """Name, actions and catalog come back; a second reading is remembered."""
    text = tokens.access(WHO, [PULL, CATALOG_SCOPE]).text
    assert tokens.recall(text) is None
    claims = tokens.read(text, ACCESS)
    assert (claims.subject, claims.repositories, claims.catalog) == (WHO.id, {"team/app": frozenset({"pull"})}, True)
    assert tokens.recall(text) == claims


def test_expired_token_is_refused_even_when_remembered(tokens: Tokens, clock: Clock) -> None:
    """The end counts to the second; a grace moves it."""
    text = tokens.access(WHO, [PULL]).text
    tokens.read(text, ACCESS)
    clock.now += 3600
    assert tokens.recall(text) is None
    with pytest.raises(TokenRefused, match="expired"):
        tokens.read(text, ACCESS)
    assert tokens.read(text, ACCESS, grace=10).subject == WHO.id


def test_kinds_are_not_mixed_up(tokens: Tokens) -> None:
    """A refresh token opens no route, an access token refreshes nothing."""
    with pytest.raises(TokenRefused, match="needs access_token"):
        tokens.read(tokens.refresh(WHO).text, ACCESS)
    with pytest.raises(TokenRefused, match="needs refresh_token"):
        tokens.read(tokens.access(WHO, []).text, REFRESH)


def test_tampered_token_is_refused(tokens: Tokens) -> None:
    """Claims changed under an old signature do not count."""
    header, claims, signature = tokens.access(WHO, [PULL]).text.split(".")
    other = json.loads(base64.urlsafe_b64decode(claims + "==")) | {"sub": str(uuid.uuid4())}
    forged = base64.urlsafe_b64encode(json.dumps(other).encode()).rstrip(b"=").decode()
    with pytest.raises(TokenRefused):
        tokens.read(f"{header}.{forged}.{signature}", ACCESS)


def test_unsigned_token_is_refused(tokens: Tokens) -> None:
    """`alg: none` is not an algorithm here."""
    _, claims = parts(tokens.access(WHO, [PULL]).text)
    with pytest.raises(TokenRefused):
        tokens.read(jwt.encode(claims, "", "none"), ACCESS)


def test_token_signed_with_the_public_key_as_a_secret_is_refused(tokens: Tokens) -> None:
    """HS256 with anything as its key is not an algorithm here either."""
    _, claims = parts(tokens.access(WHO, [PULL]).text)
    with pytest.raises(TokenRefused):
        tokens.read(jwt.encode(claims, "0" * 64, "HS256"), ACCESS)


def test_token_of_another_registry_is_refused(tokens: Tokens, tmp_path: Path, clock: Clock) -> None:
    """Another key signs for somebody else."""
    other = Tokens(signing_key(tmp_path / "other"), SettingsInForce(RegistrySettings()), clock)
    with pytest.raises(TokenRefused):
        tokens.read(other.access(WHO, [PULL]).text, ACCESS)


@pytest.mark.parametrize("text", ["", "nonsense", "a.b.c", "é", "x" * 100_000, "..", "\x00.\x00.\x00"])
def test_text_that_is_no_token_is_refused(tokens: Tokens, text: str) -> None:
    """Whatever comes in the header, the answer is the same error."""
    with pytest.raises(TokenRefused):
        tokens.read(text, ACCESS)

"""Tokens: their claims, their life, and what is no token of ours."""

import base64
import json
import uuid
from pathlib import Path
from typing import Any

import jwt
import pytest

from registry.auth.actions import Role
from registry.auth.origin import Origin
from registry.auth.principals import Principal, anonymous
from registry.auth.scopes import CATALOG_SCOPE, Scope
from registry.auth.signing_key import SigningKey, signing_key
from registry.auth.tokens import ACCESS, REFRESH, TokenRefused, Tokens
from registry.config.settings import RegistrySettings, SettingsInForce

WHO = Principal(str(uuid.uuid4()), "ci", Role.ACR_PUSH)
PULL = Scope("repository", "team/app", ("pull",))
SECRET = Origin("5ec7e7", 1_700_000_000 + 365 * 86_400, first=True)


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
    issued = tokens.access(WHO, [PULL], SECRET)
    header, claims = parts(issued.text)
    assert header == {"alg": "ES256", "typ": "JWT", "kid": key.kid}
    assert claims["access"] == [{"type": "repository", "name": "team/app", "actions": ["pull"]}]
    assert (claims["grant_type"], claims["version"], claims["sub"]) == ("access_token", "2.0", WHO.id)
    assert (claims["exp"] - clock.now, claims["nbf"] - clock.now) == (3600, -900)
    assert {"jti", "iat", "iss", "aud", "rid", "appid", "roles"} <= claims.keys()


def test_refresh_token_of_a_secret_lives_as_long_as_the_secret(tokens: Tokens) -> None:
    """It says what the role permits in ACR's words and grants nothing itself."""
    _, claims = parts(tokens.refresh(WHO, SECRET).text)
    assert (claims["exp"], claims["secret_id"]) == (SECRET.ends, SECRET.secret)
    assert claims["permissions"] == {"Actions": ["read", "write"], "NotActions": None}
    assert "access" not in claims


@pytest.mark.parametrize(("left", "lives"), [(365 * 86_400, 10_800), (600, 600)])
def test_refresh_token_of_a_token_lives_three_hours_at_most(
    tokens: Tokens, clock: Clock, left: int, lives: int
) -> None:
    """And never longer than what it was got with."""
    _, claims = parts(tokens.refresh(WHO, Origin("5ec7e7", clock.now + left, first=False)).text)
    assert claims["exp"] - clock.now == lives


def test_access_token_ends_with_its_origin(tokens: Tokens, clock: Clock) -> None:
    """What is left of the secret or token is all there is; the client is told so."""
    issued = tokens.access(WHO, [PULL], Origin("5ec7e7", clock.now + 90, first=False))
    assert (issued.expires_in, parts(issued.text)[1]["exp"] - clock.now) == (90, 90)


def test_anonymous_token_lives_five_minutes(tokens: Tokens, clock: Clock) -> None:
    """Its subject is ACR's word for the anonymous puller."""
    _, claims = parts(tokens.access(anonymous(may_pull=True), [PULL], None).text)
    assert (claims["sub"], claims["exp"] - clock.now) == ("acr_anon_pull", 300)


@pytest.mark.parametrize("round_", range(20))
def test_claims_never_need_the_last_two_base64_letters(tokens: Tokens, round_: int) -> None:
    """The Azure SDK decodes claims with the wrong alphabet; without ~ ? > there is no difference."""
    for issued in (tokens.access(WHO, [PULL, CATALOG_SCOPE], SECRET), tokens.refresh(WHO, SECRET)):
        assert not set(issued.text.split(".")[1]) & set("-_")


def test_read_gives_back_what_was_granted(tokens: Tokens) -> None:
    """Name, actions and catalog come back; a second reading is remembered."""
    text = tokens.access(WHO, [PULL, CATALOG_SCOPE], SECRET).text
    assert tokens.recall(text) is None
    claims = tokens.read(text, ACCESS)
    assert (claims.subject, claims.repositories, claims.catalog) == (WHO.id, {"team/app": frozenset({"pull"})}, True)
    assert tokens.recall(text) == claims


def test_expired_token_is_refused_even_when_remembered(tokens: Tokens, clock: Clock) -> None:
    """The end counts to the second; a grace moves it."""
    text = tokens.access(WHO, [PULL], SECRET).text
    tokens.read(text, ACCESS)
    clock.now += 3600
    assert tokens.recall(text) is None
    with pytest.raises(TokenRefused, match="expired"):
        tokens.read(text, ACCESS)
    assert tokens.read(text, ACCESS, grace=10).subject == WHO.id


def test_kinds_are_not_mixed_up(tokens: Tokens) -> None:
    """A refresh token opens no route, an access token refreshes nothing."""
    with pytest.raises(TokenRefused, match="needs access_token"):
        tokens.read(tokens.refresh(WHO, SECRET).text, ACCESS)
    with pytest.raises(TokenRefused, match="needs refresh_token"):
        tokens.read(tokens.access(WHO, [], SECRET).text, REFRESH)


def test_tampered_token_is_refused(tokens: Tokens) -> None:
    """Claims changed under an old signature do not count."""
    header, claims, signature = tokens.access(WHO, [PULL], SECRET).text.split(".")
    other = json.loads(base64.urlsafe_b64decode(claims + "==")) | {"sub": str(uuid.uuid4())}
    forged = base64.urlsafe_b64encode(json.dumps(other).encode()).rstrip(b"=").decode()
    with pytest.raises(TokenRefused):
        tokens.read(f"{header}.{forged}.{signature}", ACCESS)


def test_unsigned_token_is_refused(tokens: Tokens) -> None:
    """`alg: none` is not an algorithm here."""
    _, claims = parts(tokens.access(WHO, [PULL], SECRET).text)
    with pytest.raises(TokenRefused):
        tokens.read(jwt.encode(claims, "", "none"), ACCESS)


def test_token_signed_with_the_public_key_as_a_secret_is_refused(tokens: Tokens) -> None:
    """HS256 with anything as its key is not an algorithm here either."""
    _, claims = parts(tokens.access(WHO, [PULL], SECRET).text)
    with pytest.raises(TokenRefused):
        tokens.read(jwt.encode(claims, "0" * 64, "HS256"), ACCESS)


@pytest.mark.parametrize("headers", [{}, {"kid": "ABCD:EFGH"}, {"kid": ""}])
def test_token_of_another_key_id_is_refused(tokens: Tokens, key: SigningKey, headers: dict[str, str]) -> None:
    """The header names the key that signed: another name, or none, is not ours even under our signature."""
    _, claims = parts(tokens.access(WHO, [PULL], SECRET).text)
    with pytest.raises(TokenRefused, match="not one of this registry"):
        tokens.read(jwt.encode(claims, key.private, "ES256", headers=headers), ACCESS)


def test_token_of_an_earlier_version_is_refused(tokens: Tokens, key: SigningKey) -> None:
    """Without the name of its secret nothing could end it."""
    _, claims = parts(tokens.refresh(WHO, SECRET).text)
    del claims["secret_id"]
    with pytest.raises(TokenRefused, match="earlier version"):
        tokens.read(jwt.encode(claims, key.private, "ES256", headers={"kid": key.kid}), REFRESH)


def test_token_of_another_registry_is_refused(tokens: Tokens, tmp_path: Path, clock: Clock) -> None:
    """Another key signs for somebody else."""
    other = Tokens(signing_key(tmp_path / "other"), SettingsInForce(RegistrySettings()), clock)
    with pytest.raises(TokenRefused):
        tokens.read(other.access(WHO, [PULL], SECRET).text, ACCESS)


@pytest.mark.parametrize("text", ["", "nonsense", "a.b.c", "é", "x" * 100_000, "..", "\x00.\x00.\x00"])
def test_text_that_is_no_token_is_refused(tokens: Tokens, text: str) -> None:
    """Whatever comes in the header, the answer is the same error."""
    with pytest.raises(TokenRefused):
        tokens.read(text, ACCESS)

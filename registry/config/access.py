"""The settings of signing in, tokens, brute force and the audit log (sections `auth` and `audit`)."""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from registry.config.group import DAY

_FROZEN = ConfigDict(frozen=True, extra="forbid")
_LIVE: dict[str, Any] = {"live": True}


class ThrottleSettings(BaseModel):
    """How wrong secrets slow a client down. Counted per address, and per principal and address."""

    model_config = _FROZEN

    free_failures: int = Field(
        default=3, ge=0, description="wrong secrets that are answered at once", json_schema_extra=_LIVE
    )
    delay_seconds: float = Field(
        default=0.25,
        ge=0,
        description="wait before the next wrong secret is answered; doubles with each further one",
        json_schema_extra=_LIVE,
    )
    delay_maximum_seconds: float = Field(default=2.0, ge=0, description="longest such wait", json_schema_extra=_LIVE)
    pair_failures: int = Field(
        default=10,
        ge=1,
        description="wrong secrets for one principal from one address before 429 is answered",
        json_schema_extra=_LIVE,
    )
    address_failures: int = Field(
        default=30,
        ge=1,
        description="wrong secrets from one address, whatever the principal, before 429 is answered",
        json_schema_extra=_LIVE,
    )
    refusal_seconds: float = Field(
        default=10.0,
        gt=0,
        description="how long 429 is answered then (Retry-After); doubles with each further failure",
        json_schema_extra=_LIVE,
    )
    refusal_maximum_seconds: float = Field(
        default=300.0, gt=0, description="longest such time", json_schema_extra=_LIVE
    )
    forget_seconds: float = Field(
        default=900.0,
        gt=0,
        description="failures are forgotten after this long without another",
        json_schema_extra=_LIVE,
    )
    entries: int = Field(default=10_000, ge=16, description="addresses and pairs remembered; the oldest go first")


class AuthSettings(BaseModel):
    """Authentication. Durations in seconds."""

    model_config = _FROZEN

    required: bool = Field(
        default=True,
        description="whether callers must sign in. false: everybody is the owner; for closed test set-ups only",
        json_schema_extra=_LIVE,
    )
    anonymous_pull: bool = Field(
        default=False,
        description="whether callers without credentials may pull from everywhere",
        json_schema_extra=_LIVE,
    )
    challenge: Literal["bearer", "basic"] = Field(
        default="bearer",
        description="what the 401 answer asks for: a token, or (for clients that know no tokens) name and secret; "
        "both are taken whatever it says",
        json_schema_extra=_LIVE,
    )
    service: str = Field(
        default="",
        description="the challenge's `service`; empty: the host the client asked for",
        json_schema_extra=_LIVE,
    )
    issuer: str = Field(default="basegate", pattern=r"^[A-Za-z0-9._-]+$", description="tokens' `iss` and `aud`")
    access_token_seconds: int = Field(
        default=3600, ge=60, description="life of an access token", json_schema_extra=_LIVE
    )
    refresh_token_seconds: int = Field(
        default=10_800,
        ge=600,
        description="life of a refresh token that was got with a token; one got with a secret lives as long as that",
        json_schema_extra=_LIVE,
    )
    anonymous_token_seconds: int = Field(
        default=300, ge=60, description="life of an anonymous access token", json_schema_extra=_LIVE
    )
    session_grace_seconds: int = Field(
        default=DAY,
        ge=0,
        description="how long after its end a token may still carry on the upload session its principal started",
        json_schema_extra=_LIVE,
    )
    secret_days: int = Field(
        default=365,
        ge=1,
        description="life of a principal's secret in days, unless said otherwise",
        json_schema_extra=_LIVE,
    )
    warn_days: int = Field(
        default=14,
        ge=0,
        description="how many days before its end a secret is told of, in the log (daily) and in the metrics; 0: never",
        json_schema_extra=_LIVE,
    )
    verified_entries: int = Field(
        default=4096, ge=16, description="checked secrets and checked tokens kept in memory (each)"
    )
    verified_seconds: float = Field(
        default=900.0,
        gt=0,
        description="how long a checked secret is believed without hashing",
    )
    hashing_threads: int = Field(default=1, ge=1, description="secrets hashed at the same time (19 MiB and 70 ms each)")
    hashing_waiting: int = Field(
        default=64, ge=1, description="secrets that may wait for it; more are answered 429", json_schema_extra=_LIVE
    )
    form_bytes: int = Field(
        default=65_536, ge=1024, description="largest form that the token endpoints read", json_schema_extra=_LIVE
    )
    scopes: int = Field(
        default=100, ge=1, description="scopes that one token request may name", json_schema_extra=_LIVE
    )
    throttle: ThrottleSettings = Field(default=ThrottleSettings(), description="brute force")


class AuditSettings(BaseModel):
    """The audit log: JSON lines, one for each request that touches content or credentials."""

    model_config = _FROZEN

    enabled: bool = Field(default=True, description="whether it is written")
    file: str = Field(default="audit/audit.log", description="where; a relative path is inside the data folder")
    reads: bool = Field(
        default=True, description="whether successful reads (GET, HEAD) are recorded as well", json_schema_extra=_LIVE
    )
    rotate_bytes: int = Field(
        default=64 * 1024 * 1024, ge=4096, description="size at which a new file is begun", json_schema_extra=_LIVE
    )
    keep_files: int = Field(
        default=8, ge=1, description="older files kept (`audit.log.1` is the newest)", json_schema_extra=_LIVE
    )

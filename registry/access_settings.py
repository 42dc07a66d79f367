"""The settings of signing in, tokens, brute force and the audit log (sections `auth` and `audit`)."""

from pydantic import BaseModel, ConfigDict, Field

_FROZEN = ConfigDict(frozen=True, extra="forbid")


class ThrottleSettings(BaseModel):
    """How wrong secrets slow a client down. Counted per address, and per principal and address."""

    model_config = _FROZEN

    free_failures: int = Field(default=3, ge=0, description="Wrong secrets that are answered at once.")
    delay_seconds: float = Field(
        default=0.25, ge=0, description="Wait before the next wrong secret is answered; doubles with each further one."
    )
    delay_maximum_seconds: float = Field(default=2.0, ge=0, description="Longest such wait.")
    pair_failures: int = Field(
        default=10, ge=1, description="Wrong secrets for one principal from one address before 429 is answered."
    )
    address_failures: int = Field(
        default=30, ge=1, description="Wrong secrets from one address, whatever the principal, before 429 is answered."
    )
    refusal_seconds: float = Field(
        default=10.0,
        gt=0,
        description="How long 429 is answered then (Retry-After); doubles with each further failure.",
    )
    refusal_maximum_seconds: float = Field(default=300.0, gt=0, description="Longest such time.")
    forget_seconds: float = Field(
        default=900.0, gt=0, description="Failures are forgotten after this long without another."
    )
    entries: int = Field(default=10_000, ge=16, description="Addresses and pairs remembered; the oldest go first.")


class AuthSettings(BaseModel):
    """Who is let in and how. Durations in seconds."""

    model_config = _FROZEN

    required: bool = Field(
        default=True,
        description="Whether callers must sign in. false: everybody is the owner; for closed test set-ups only.",
    )
    anonymous_pull: bool = Field(
        default=False, description="Whether callers without credentials may pull from everywhere."
    )
    service: str = Field(default="", description="The challenge's `service`; empty: the host the client asked for.")
    public_url: str = Field(
        default="", description="Scheme and host that the challenge's `realm` names; empty: those of the request."
    )
    issuer: str = Field(default="basegate", pattern=r"^[A-Za-z0-9._-]+$", description="Tokens' `iss` and `aud`.")
    access_token_seconds: int = Field(default=3600, ge=60, description="Life of an access token.")
    refresh_token_seconds: int = Field(default=10_800, ge=600, description="Life of a refresh token.")
    anonymous_token_seconds: int = Field(default=300, ge=60, description="Life of an anonymous access token.")
    session_grace_seconds: int = Field(
        default=86_400,
        ge=0,
        description="How long after its end a token may still carry on the upload session its principal started.",
    )
    secret_days: int = Field(
        default=365, ge=1, description="Life of a principal's secret in days, unless said otherwise."
    )
    verified_entries: int = Field(
        default=4096, ge=16, description="Checked secrets and checked tokens kept in memory (each)."
    )
    verified_seconds: float = Field(
        default=900.0, gt=0, description="How long a checked secret is believed without hashing."
    )
    hashing_threads: int = Field(
        default=1, ge=1, description="Secrets hashed at the same time (19 MiB and 70 ms each)."
    )
    hashing_waiting: int = Field(default=64, ge=1, description="Secrets that may wait for it; more are answered 429.")
    form_bytes: int = Field(default=65_536, ge=1024, description="Largest form that the token endpoints read.")
    scopes: int = Field(default=100, ge=1, description="Scopes that one token request may name.")
    throttle: ThrottleSettings = Field(default=ThrottleSettings(), description="Brute force.")


class AuditSettings(BaseModel):
    """The audit log: JSON lines, one for each request that touches content or credentials."""

    model_config = _FROZEN

    enabled: bool = Field(default=True, description="Whether it is written.")
    file: str = Field(default="audit/audit.log", description="Where; a relative path is inside the data folder.")
    reads: bool = Field(default=True, description="Whether successful reads (GET, HEAD) are recorded as well.")
    rotate_bytes: int = Field(default=64 * 1024 * 1024, ge=4096, description="Size at which a new file is begun.")
    keep_files: int = Field(default=8, ge=1, description="Older files kept (`audit.log.1` is the newest).")

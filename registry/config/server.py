"""The settings of the server's connections."""

from pydantic import Field

from registry.config.group import LIVE, MEBIBYTE, Group, Networks


class ServerSettings(Group):
    """Connections and their limits."""

    public_url: str = Field(
        default="",
        description="URL under which clients reach the registry; empty: taken from each request",
        json_schema_extra=LIVE,
    )
    trusted_proxies: Networks = Field(
        default=(),
        description="addresses or networks whose X-Forwarded-* and Forwarded headers are believed",
        json_schema_extra=LIVE,
    )
    fast: bool = Field(
        default=True,
        description="workers on sockets and answers that are given again; false: every byte and request through the "
        "event loop",
    )
    threads: int = Field(default=4, ge=1, le=64, description="worker threads that move bytes between sockets and files")
    answer_bytes: int = Field(
        default=8 * MEBIBYTE, ge=0, description="memory for small answers that are given again while they hold; 0: none"
    )
    head_bytes: int = Field(
        default=65_536,
        ge=1024,
        description="largest request head; a larger one gets 431",
        json_schema_extra=LIVE,
    )
    stall_seconds: float = Field(
        default=300.0,
        gt=0,
        description="how long a client may neither send nor take a byte of a transfer",
        json_schema_extra=LIVE,
    )
    head_seconds: float = Field(
        default=30.0,
        gt=0,
        description="how long a client may take for a whole request head, or for a TLS handshake; then 408",
        json_schema_extra=LIVE,
    )
    body_rate: int = Field(
        default=1024,
        ge=0,
        description="bytes a second that must come of a request's body; fewer: 408; 0: any number",
        json_schema_extra=LIVE,
    )
    body_rate_seconds: float = Field(
        default=60.0,
        gt=0,
        description="over how long the rate of a body is measured, the server's own time not counted",
        json_schema_extra=LIVE,
    )
    taking_rate: int = Field(
        default=1024,
        ge=0,
        description="bytes a second of a response that a client must take; fewer: its connection ends; 0: any number",
        json_schema_extra=LIVE,
    )
    taking_rate_seconds: float = Field(
        default=60.0,
        gt=0,
        description="over how long that rate is measured, while bytes wait for the client",
        json_schema_extra=LIVE,
    )
    connections: int = Field(
        default=4096,
        ge=0,
        description="connections at once; one more gets 503; 0: as many as descriptors allow, which is never exceeded",
        json_schema_extra=LIVE,
    )
    connections_per_address: int = Field(
        default=512,
        ge=0,
        description="connections and requests of one address (IPv6: of one /64) at once, those of trusted_proxies not "
        "counted; one more gets 503; 0: no limit",
        json_schema_extra=LIVE,
    )
    backlog: int = Field(default=2048, ge=1, description="connections the kernel may keep waiting")
    keep_alive_seconds: int = Field(
        default=75, ge=1, description="how long an idle connection stays open", json_schema_extra=LIVE
    )
    shutdown_seconds: int = Field(
        default=30,
        ge=0,
        description="how long a stopping server waits for running requests",
        json_schema_extra=LIVE,
    )
    concurrency: int = Field(
        default=0, ge=0, description="requests and connections served at once; 0: no limit", json_schema_extra=LIVE
    )

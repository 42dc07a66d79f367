"""The settings of builds (section `azure.builds`)."""

from typing import Literal

from pydantic import Field

from registry.config.group import LIVE, MEBIBYTE, Group


class BuildSettings(Group):
    """Quick builds (az acr build); off unless `builder` is set."""

    builder: Literal["", "buildah", "podman", "docker"] = Field(
        default="", description="program that builds, found on PATH; empty: every build is refused"
    )
    docker_host: str = Field(
        default="",
        pattern=r"^((unix|tcp|ssh)://\S+)?$",
        description="address of docker's daemon, as in DOCKER_HOST; empty: unix:///var/run/docker.sock",
    )
    docker_cgroup: str = Field(
        default="",
        pattern=r"^[A-Za-z0-9/_.@-]*$",
        description="control group, or slice where docker uses systemd, that docker makes the containers of builds in: "
        "its limits of processes and processors count for them; empty: docker's own",
    )
    docker_buildkit: bool = Field(
        default=False,
        description="whether docker builds with BuildKit, which heeds neither memory_bytes nor docker_cgroup: what "
        "limits its processes then is the daemon's own setting cgroup-parent",
        json_schema_extra=LIVE,
    )
    first_uid: int = Field(
        default=2_200_000_000,
        ge=65_536,
        le=4_294_000_000,
        description="first of the 65536 user ids of this machine that builds run as, where the server is root",
    )
    network: bool = Field(
        default=False,
        description="whether builds reach the network of this machine; false: base images come from this registry only",
        json_schema_extra=LIVE,
    )
    at_once: int = Field(
        default=1, ge=1, le=64, description="builds that run at the same time, with docker one; others wait"
    )
    waiting: int = Field(
        default=16, ge=0, description="builds that may wait; one more is refused", json_schema_extra=LIVE
    )
    seconds: int = Field(
        default=3600,
        ge=1,
        description="longest build, what a client asks for included; then it is ended",
        json_schema_extra=LIVE,
    )
    memory_bytes: int = Field(
        default=2048 * MEBIBYTE,
        ge=64 * MEBIBYTE,
        description="address space of each process of a build; with docker, memory of each of its containers",
        json_schema_extra=LIVE,
    )
    processes: int = Field(default=256, ge=16, description="processes and threads of one build", json_schema_extra=LIVE)
    disk_bytes: int = Field(
        default=8192 * MEBIBYTE,
        ge=MEBIBYTE,
        description="bytes that one build may have on disk, its context and its layers together; with docker, what "
        "comes to the daemon's folder meanwhile is counted where the server can read it",
        json_schema_extra=LIVE,
    )
    free_bytes: int = Field(
        default=1024 * MEBIBYTE,
        ge=0,
        description="a build ends when the disk of the data folder has less room than this",
        json_schema_extra=LIVE,
    )
    context_bytes: int = Field(
        default=256 * MEBIBYTE,
        ge=1024,
        description="largest context as it is sent (compressed)",
        json_schema_extra=LIVE,
    )
    context_files: int = Field(
        default=100_000, ge=1, description="files and folders in a context", json_schema_extra=LIVE
    )
    log_bytes: int = Field(
        default=16 * MEBIBYTE,
        ge=4096,
        description="longest log; what a build prints beyond that ends it",
        json_schema_extra=LIVE,
    )
    link_seconds: int = Field(
        default=3600, ge=60, description="how long the address for a context or a log holds", json_schema_extra=LIVE
    )
    kept_runs: int = Field(
        default=100, ge=1, description="runs whose record and log are kept; the oldest go first", json_schema_extra=LIVE
    )

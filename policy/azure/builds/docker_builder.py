"""docker: its daemon builds, with its own images and as root; the paths are those of the machine."""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from policy.azure.builds.builders import CONTEXT, DIGESTS, Target, build_arguments
from policy.azure.builds.request import BuildRequest, ImageName
from registry.oci.image_reference import is_loopback

_REPOSITORY = "localhost/basegate-build"
_PULL = 'docker pull --quiet "$1" && { [ "$1" = "$2" ] || docker tag "$1" "$2"; }'
"""$1: the image at an address that is on this machine for certain; $2: as the Dockerfile names it."""
_PUSH = (
    'docker tag "$1" "$2:$3" && docker push "$2:$3" && '
    "docker image inspect --format '{{range .RepoDigests}}{{println .}}{{end}}' \"$2:$3\" | "
    f'sed -n "s|^$2@||p" | head -n 1 > {DIGESTS}'
)
"""$1: what was built; $2: the repository; $3: the tag. Writes the digest that the daemon has for that repository."""
_CLEAN_BUILDKIT = 'docker image rm "$@"; docker builder prune --all --force'
"""$@: names. What BuildKit keeps for later builds bears none."""
_CLEAN_KILLED = (
    'docker image rm "$@"; for _ in $(seq 40); do docker builder prune --all --force; '
    "docker system df --format '{{.Type}} {{.TotalCount}}' | grep -qx 'Build Cache 0' && break; sleep 0.25; done"
)
"""As before, while a step still runs whose client was killed: what it uses cannot be taken away."""


def _own_tag() -> str:
    return f"{_REPOSITORY}:{secrets.token_hex(8)}"


@dataclass(frozen=True, slots=True)
class Docker:
    """One build by docker.

    Attributes:
        host: address of the daemon, as in DOCKER_HOST; "" for docker's own default.
        cgroup: control group that containers of the build are made in; "" for the daemon's own.
        memory: bytes that each container of the build may have.
        buildkit: whether BuildKit builds; its containers are limited by the daemon's own control group only.
        tag: what the image is called in the daemon, which other builds share.
    """

    host: str
    cgroup: str
    memory: int
    buildkit: bool = field(kw_only=True, default=False)
    tag: str = field(default_factory=_own_tag)

    @property
    def jailed(self) -> bool:
        """Whether its steps are set apart: the daemon would not be."""
        return False

    @property
    def credentials(self) -> str:
        """The file that the client reads them from."""
        return "config.json"

    @property
    def program(self) -> str:
        """What must be installed."""
        return "docker"

    def files(self, target: Target, *, network: bool) -> Mapping[str, str]:  # noqa: ARG002
        """None of its own."""
        return {}

    def environment(self) -> Mapping[str, str]:
        """Credentials of the build, not those of the server's user; and which builder, whatever docker prefers."""
        own = {"DOCKER_CONFIG": ".", "HOME": ".", "DOCKER_BUILDKIT": "1" if self.buildkit else "0"}
        return own | ({"DOCKER_HOST": self.host} if self.host else {})

    def storage(self) -> Sequence[str]:
        """Asks in which folder of this machine the daemon keeps what it builds; nothing where it is on another one."""
        here = not self.host or self.host.startswith("unix://")
        return (self.program, "info", "--format", "{{.DockerRootDir}}") if here else ()

    def pull(self, target: Target, image: str) -> Sequence[str]:
        """Fetch a base image of this registry, and call it what the Dockerfile does."""
        host, _, path = image.partition("/")
        # What has a digest can be given no other name.
        source = image if "@" in image and is_loopback(host) else f"{target.address}/{path}"
        return ("/bin/sh", "-c", _PULL, "pull", source, image)

    def build(self, request: BuildRequest, *, network: bool) -> Sequence[str]:
        """Build what the context says. Nothing is taken from what the daemon built for others."""
        return (
            self.program,
            "build",
            "--no-cache",
            "--network=default" if network else "--network=none",
            *(() if self.buildkit else ("--force-rm", f"--memory={self.memory}", f"--memory-swap={self.memory}")),
            *([f"--cgroup-parent={self.cgroup}"] if self.cgroup else []),
            f"--platform={request.platform}",
            f"--file={CONTEXT}/{request.dockerfile}",
            f"--tag={self.tag}",
            *([f"--target={request.target}"] if request.target else []),
            *build_arguments(request),
            CONTEXT,
        )

    def push(self, target: Target, name: ImageName) -> Sequence[str]:
        """Push the image under a name."""
        return ("/bin/sh", "-c", _PUSH, "push", self.tag, f"{target.address}/{name.repository}", str(name.tag))

    def clean(self, target: Target, names: Sequence[ImageName], bases: Sequence[str], *, killed: bool) -> Sequence[str]:
        """Take away what the daemon was given: other builds could begin with it."""
        fetched = [other for image in bases for other in (image, f"{target.address}/{image.partition('/')[2]}")]
        found = dict.fromkeys([self.tag, *(f"{target.address}/{name}" for name in names), *fetched])
        if self.buildkit:
            return ("/bin/sh", "-c", _CLEAN_KILLED if killed else _CLEAN_BUILDKIT, "clean", *found)
        return (self.program, "image", "rm", *found)

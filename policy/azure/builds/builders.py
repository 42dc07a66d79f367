"""buildah and podman: their command lines, and the files that tell them what they may fetch and how.

Paths are as a step sees them: the folder of its build is /tmp (see `jail`).
"""

import base64
import json
import platform
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from policy.azure.builds.jail import SEEN_AS
from policy.azure.builds.request import BuildRequest, ImageName
from registry.auth.credentials import NULL_GUID

LOCAL = "localhost/basegate-build:result"
CONTEXT, ARCHIVE, AUTH, DIGESTS, STORAGE = "context", "context.tar.gz", "auth.json", "digest", "storage"
_ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}
# Named, it would bring arguments that no Dockerfile asked for, and a warning.
_OWN_PLATFORM = f"linux/{_ARCHITECTURES.get(platform.machine(), platform.machine())}"


@dataclass(frozen=True, slots=True)
class Target:
    """Where this registry is, for a builder.

    Attributes:
        address: HOST:PORT on this machine.
        names: names under which a Dockerfile may mean it.
    """

    address: str
    names: tuple[str, ...]


class Podmanlike:
    """buildah and podman, which take the same options.

    Args:
        program: `buildah` or `podman`.
    """

    jailed = True
    credentials = AUTH

    def __init__(self, program: str) -> None:
        self._program = program
        self._build = "bud" if program == "buildah" else "build"

    @property
    def program(self) -> str:
        """What must be installed."""
        return self._program

    def files(self, target: Target, *, network: bool) -> Mapping[str, str]:
        """Files of the build's folder: which registry is where, and which images may be used."""
        policy = {"default": [{"type": "insecureAcceptAnything" if network else "reject"}]}
        known = {name: [{"type": "insecureAcceptAnything"}] for name in (target.address, *target.names)}
        local = {"": [{"type": "insecureAcceptAnything"}]}
        kinds = dict.fromkeys(("containers-storage", "oci", "dir"), local)
        return {
            "registries.conf": _registries(target, network=network),
            "policy.json": json.dumps(policy | {"transports": {"docker": known, **kinds}}),
            "storage.conf": _STORAGE,
        }

    def environment(self) -> Mapping[str, str]:
        """What a step is told beside its arguments."""
        here = str(SEEN_AS)
        return {
            "HOME": here,
            "TMPDIR": here,
            "XDG_RUNTIME_DIR": here,
            "CONTAINERS_REGISTRIES_CONF": f"{here}/registries.conf",
            "CONTAINERS_STORAGE_CONF": f"{here}/storage.conf",
            "BUILDAH_ISOLATION": "chroot",
            "_CONTAINERS_USERNS_CONFIGURED": "done",
            "_CONTAINERS_ROOTLESS_UID": "1000",
        }

    def storage(self) -> Sequence[str]:
        """Nothing is asked: it is in the build's folder."""
        return ()

    def pull(self, target: Target, image: str) -> Sequence[str]:  # noqa: ARG002 - registries.conf has it
        """Fetch a base image."""
        return (*self._begin(), "pull", "--quiet", *self._policy(), *_authfile(), image)

    def build(self, request: BuildRequest, *, network: bool) -> Sequence[str]:
        """Build what the context says; without the network every base image was fetched before."""
        pulled = () if network else ("--pull-never",)
        return (
            *self._begin(),
            self._build,
            *self._policy(),
            "--isolation=chroot",
            "--layers=false",
            *pulled,
            *([] if request.platform == _OWN_PLATFORM else [f"--platform={request.platform}"]),
            f"--file={CONTEXT}/{request.dockerfile}",
            f"--tag={LOCAL}",
            *([f"--target={request.target}"] if request.target else []),
            *build_arguments(request),
            CONTEXT,
        )

    def push(self, target: Target, name: ImageName) -> Sequence[str]:
        """Push the image under a name."""
        options = (*_authfile(), "--tls-verify=false", f"--digestfile={DIGESTS}")
        return (*self._begin(), "push", *self._policy(), *options, LOCAL, f"docker://{target.address}/{name}")

    def clean(
        self,
        target: Target,  # noqa: ARG002
        names: Sequence[ImageName],  # noqa: ARG002
        bases: Sequence[str],  # noqa: ARG002
        *,
        killed: bool,  # noqa: ARG002
    ) -> Sequence[str]:
        """Nothing is outside of the build's folder."""
        return ()

    def _begin(self) -> Sequence[str]:
        return (self._program, f"--root={SEEN_AS}/{STORAGE}", f"--runroot={SEEN_AS}/run", "--storage-driver=vfs")

    def _policy(self) -> Sequence[str]:
        return (f"--signature-policy={SEEN_AS}/policy.json",)


def auth_document(target: Target, token: str) -> str:
    """A file of credentials for this registry alone, as docker and podman keep them."""
    entry = {"auth": base64.b64encode(f"{NULL_GUID}:{token}".encode()).decode("ascii")}
    return json.dumps({"auths": dict.fromkeys((target.address, *target.names), entry)})


def build_arguments(request: BuildRequest) -> Iterator[str]:
    """Flags of them. A secret one is named only: its value is in the environment, which other users cannot read."""
    for argument in request.arguments:
        yield f"--build-arg={argument.name}" if argument.secret else f"--build-arg={argument.name}={argument.value}"


def _authfile() -> Sequence[str]:
    return (f"--authfile={SEEN_AS}/{AUTH}",)


def _registries(target: Target, *, network: bool) -> str:
    """containers-registries.conf(5): every name of this registry leads to it on this machine, whose line is its own."""
    lines = [f"unqualified-search-registries = {json.dumps(['docker.io'] if network else [])}"]
    for name in dict.fromkeys((target.address, *target.names)):
        lines += ["[[registry]]", f'prefix = "{name}"', f'location = "{target.address}"', "insecure = true"]
    return "\n".join(lines) + "\n"


_STORAGE = """\
[storage]
driver = "vfs"
[storage.options.vfs]
ignore_chown_errors = "true"
"""

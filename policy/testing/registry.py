"""A registry as a test has it: repositories of its own on a server that others share."""

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from policy.client.api import check_again
from policy.client.connection_options import ConnectionOptions
from policy.gateway.check_result import CheckResult
from policy.testing.credentials import Credentials
from policy.testing.images import Files, MadeImage, make_image
from registry.oci import media_types
from registry.oci.image_reference import ImageReference
from registry.registry_client import credentials as stored

WAIT_SECONDS = 60.0
_STEP_SECONDS = 30.0
_NO_HOME = Path("/nonexistent")


@dataclass(frozen=True, slots=True)
class PushedImage:
    """An image that was pushed.

    Attributes:
        name: `HOST:PORT/repository:tag`, as docker wants it.
        digest: of its manifest.
        pinned: `HOST:PORT/repository@digest`.
    """

    name: str
    digest: str
    pinned: str


@dataclass(frozen=True, slots=True)
class TemporaryRegistry:
    """Repositories below a prefix that nobody else uses, and who may use them.

    Attributes:
        address: `HOST:PORT` of the server, which speaks plain HTTP.
        prefix: of its repositories; no slash at the end.
        owner: may do everything below the prefix.
        reader: may pull there what is not withheld.
    """

    address: str
    prefix: str
    owner: Credentials
    reader: Credentials

    @property
    def url(self) -> str:
        """`http://HOST:PORT`."""
        return f"http://{self.address}"

    def repository(self, name: str) -> str:
        """The repository of a name: the prefix, and the name."""
        return f"{self.prefix}/{name}"

    def name(self, name: str) -> str:
        """`HOST:PORT/PREFIX/name`, for `team/app`, `team/app:v1` or `team/app@sha256:…`."""
        return f"{self.address}/{self.repository(name)}"

    def client(self, who: Credentials | None = None) -> httpx.Client:
        """An HTTP client that signs in as somebody, the owner if nothing is said; the caller closes it."""
        chosen = who or self.owner
        return httpx.Client(
            base_url=self.url, auth=(chosen.username, chosen.password), timeout=_STEP_SECONDS, trust_env=False
        )

    def docker_config(self, who: Credentials | None = None) -> dict[str, Any]:
        """What docker, podman, crane, skopeo and oras read as config.json or auth.json."""
        chosen = who or self.owner
        pair = base64.b64encode(f"{chosen.username}:{chosen.password}".encode()).decode()
        return {"auths": {self.address: {"auth": pair}}}

    def push_image(
        self,
        files: Files | Sequence[Files] = (),
        config: Mapping[str, Any] | None = None,
        *,
        name: str = "app:latest",
    ) -> PushedImage:
        """Push an image of files.

        Args:
            files: of its one layer, or of each of several, the lowest first.
            config: its `Env`, `Cmd`, `User` and so on.
            name: `repository:tag` below the prefix.

        Raises:
            httpx.HTTPStatusError: the registry refuses it, as in mode `reject`; its `response` says why.
        """
        layers = (files,) if isinstance(files, Mapping) else tuple(files)
        made = make_image(layers, config or {})
        image = ImageReference.parse(self.name(name))
        with self.client() as client:
            _push(client, str(image.repository), str(image.reference), made)
        pinned = f"{self.address}/{image.repository}@{made.digest}"
        return PushedImage(f"{self.address}/{image.repository}:{image.reference}", str(made.digest), pinned)

    def verdict(self, image: PushedImage | str, wait: float = WAIT_SECONDS) -> CheckResult:
        """Whether a deployment may start from an image, and why (not), as `basegate check` asks.

        Args:
            image: what `push_image` returned, or `repository:tag` below the prefix.
            wait: seconds, if its layers are still being looked into; the verdict is `pending` after them.

        Raises:
            CheckNotPossible: the server gives no answer.
        """
        wanted = ImageReference.parse(image.pinned if isinstance(image, PushedImage) else self.name(image))
        login = stored.Credentials(self.owner.username, self.owner.password, "the test")
        options = ConnectionOptions({}, _NO_HOME, login=login, timeout=_STEP_SECONDS)
        return check_again(options.connection(wanted), wanted, wait)


def _push(client: httpx.Client, repository: str, reference: str, made: MadeImage) -> None:
    for digest, content in made.blobs.items():
        uploaded = client.post(f"/v2/{repository}/blobs/uploads/", params={"digest": digest}, content=content)
        uploaded.raise_for_status()
    headers = {"Content-Type": media_types.OCI_MANIFEST}
    client.put(f"/v2/{repository}/manifests/{reference}", content=made.manifest, headers=headers).raise_for_status()

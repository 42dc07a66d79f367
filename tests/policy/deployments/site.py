"""Deployments over a registry's services, with one image in it."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from policy.deployments.record import Deployment, Wanted
from policy.deployments.service import Deployments
from policy.deployments.settings import DeploymentSettings
from policy.deployments.workspaces import Workspaces
from registry.oci.digest import Digest
from registry.oci.names import Tag
from tests.registry.open_services import PUSHER, REPOSITORY, OpenServices, image, open_services

POLICY = {"name": "p", "digest": "sha256:" + "0" * 64}
DIGEST = Digest.of(image())
WANTED = Wanted(
    name="myservice",
    models=("mymodel:1",),
    workspace="default",
    compute_type="aks",
    compute_target="akscomputetarget",
    profile="cli",
    registry_kind="workspace",
    image="h:1/team/app:v1",
    pinned=f"h:1/team/app@{DIGEST}",
    repository=REPOSITORY,
    digest=DIGEST,
    configuration="sha256:" + "1" * 64,
)


class Site:
    """One process's deployments."""

    def __init__(self, services: OpenServices, clock: Callable[[], float], settings: dict[str, Any]) -> None:
        chosen = DeploymentSettings.model_validate(settings)
        self.services = services
        self.workspaces = Workspaces(services.data, lambda: chosen, clock)
        self.deployments = Deployments(
            services.data, services.metadata, self.workspaces, lambda: chosen, lambda: "lab", clock
        )

    def record(self, wanted: Wanted = WANTED, *, overwrite: bool = False, **changes: Any) -> Deployment:
        """Record a deployment."""
        made = replace(wanted, **changes)
        work = self.deployments.record(
            PUSHER, made, "cleared", POLICY, overwrite=overwrite, releasable=lambda _before: True
        )
        return self.services.run(work)

    def release(self, deployment: Deployment) -> Deployment:
        """Release one."""
        return self.services.run(self.deployments.release(deployment, PUSHER))


@contextmanager
def open_site(data: Path, clock: Callable[[], float] = lambda: 1000.0, **settings: Any) -> Iterator[Site]:
    """A data folder whose registry holds the image, until the block ends."""
    with open_services(data) as services:
        services.run(services.push_image(Tag("v1")))
        yield Site(services, clock, settings)

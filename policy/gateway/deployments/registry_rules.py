"""What a deployment needs to know of its image's registry: nothing, or its address with a user name and a password."""

from policy.gateway.deployments.request import Profile
from policy.gateway.image_source import Kind
from policy.gateway.inference_config.registry_login import RegistryLogin
from policy.gateway.inference_config.remarks import Remark, fail, warn
from registry.oci.image_reference import ImageReference

REGISTRY_RULE = "registry"


def on_registry(kind: Kind, profile: Profile, image: ImageReference, login: RegistryLogin | None) -> tuple[Remark, ...]:
    """What stands against, or beside, the registry of an image.

    Args:
        kind: what the registry is to the deployment.
        profile: whose rules count.
        image: as it is named.
        login: what the configuration names for it.
    """
    has_secret = login is not None and bool(login.username or login.password)
    if kind is not Kind.STANDALONE:
        whose = "the workspace's registry" if kind is Kind.WORKSPACE else "a public image"
        note = f"{whose} needs no user name and password: leave baseImageRegistry out"
        return (warn(note),) if has_secret else ()
    host = image.host or "docker.io"
    if profile is Profile.CLI:
        return (
            fail(
                f"{host} is a standalone registry, and the machine learning CLI takes public images and those of the "
                f"workspace's registry only: copy {image} into the workspace's registry, "
                "or deploy with the SDK (--profile sdk)"
            ),
        )
    if login is None or not (login.address and login.username and login.password):
        return (fail(f"{host} is a standalone registry: needs baseImageRegistry with address, username and password"),)
    if login.host != host:
        return (fail(f"baseImageRegistry is {login.host}, but the image comes from {host}: name that registry"),)
    return ()

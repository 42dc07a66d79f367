"""The builder that the settings name."""

from policy.azure.builds.builders import Podmanlike
from policy.azure.builds.docker_builder import Docker
from policy.azure.builds.settings import BuildSettings

Builder = Podmanlike | Docker


def builder_of(settings: BuildSettings) -> Builder | None:
    """The builder for one build; `None` for none."""
    if not settings.builder:
        return None
    if settings.builder == "docker":
        cgroup, buildkit = settings.docker_cgroup, settings.docker_buildkit
        return Docker(settings.docker_host, cgroup, settings.memory_bytes, buildkit=buildkit)
    return Podmanlike(settings.builder)

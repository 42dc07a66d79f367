"""Immutable tags: neither the tag nor its manifest can be moved or deleted, as with ACR's write lock."""

from collections.abc import Callable

from registry.config.settings import RegistrySettings
from registry.oci.names import RepositoryName, Tag
from registry.oci.patterns import any_covers


def immutable_in(settings: RegistrySettings, repository: RepositoryName) -> Callable[[Tag], bool]:
    """Whether a tag of the repository is immutable by `immutable_tags` of the settings."""
    rules = [rule for rule in settings.immutable_tags if any_covers(rule.repositories, repository)]
    patterns = [pattern for rule in rules for pattern in rule.tags]
    return lambda tag: any_covers(patterns, tag)

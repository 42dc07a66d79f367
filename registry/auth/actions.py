"""Actions on repositories and the roles that grant them (ACR's words; reference: ACR roles and permissions)."""

from collections.abc import Mapping
from enum import StrEnum


class Action(StrEnum):
    """What a scope can name (ACR's token actions)."""

    PULL = "pull"
    PUSH = "push"
    DELETE = "delete"
    METADATA_READ = "metadata_read"
    METADATA_WRITE = "metadata_write"
    DELETED_READ = "deleted_read"
    DELETED_RESTORE = "deleted_restore"


class Role(StrEnum):
    """What a principal is bound to."""

    ACR_PULL = "AcrPull"
    ACR_PUSH = "AcrPush"
    ACR_DELETE = "AcrDelete"
    OWNER = "Owner"


GRANTS: Mapping[Role, frozenset[Action]] = {
    Role.ACR_PULL: frozenset({Action.PULL, Action.METADATA_READ}),
    Role.ACR_PUSH: frozenset({Action.PULL, Action.PUSH, Action.METADATA_READ, Action.METADATA_WRITE}),
    Role.ACR_DELETE: frozenset({Action.DELETE, Action.METADATA_READ, Action.DELETED_READ}),
    Role.OWNER: frozenset(Action),
}

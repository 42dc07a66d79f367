"""Actions on repositories and the roles that grant them (ACR's words; reference: ACR roles and permissions)."""

from collections.abc import Mapping
from enum import StrEnum


class Action(StrEnum):
    """An action that a scope can name (ACR's token actions)."""

    PULL = "pull"
    PUSH = "push"
    DELETE = "delete"
    METADATA_READ = "metadata_read"
    METADATA_WRITE = "metadata_write"
    DELETED_READ = "deleted_read"
    DELETED_RESTORE = "deleted_restore"
    QUARANTINE_READ = "quarantine_read"
    QUARANTINE_WRITE = "quarantine_write"


class Role(StrEnum):
    """A principal's role (ACR's names)."""

    ACR_PULL = "AcrPull"
    ACR_PUSH = "AcrPush"
    ACR_DELETE = "AcrDelete"
    ACR_QUARANTINE_READER = "AcrQuarantineReader"
    ACR_QUARANTINE_WRITER = "AcrQuarantineWriter"
    OWNER = "Owner"


GRANTS: Mapping[Role, frozenset[Action]] = {
    Role.ACR_PULL: frozenset({Action.PULL, Action.METADATA_READ}),
    Role.ACR_PUSH: frozenset({Action.PULL, Action.PUSH, Action.METADATA_READ, Action.METADATA_WRITE}),
    Role.ACR_DELETE: frozenset({Action.DELETE, Action.METADATA_READ, Action.DELETED_READ}),
    Role.ACR_QUARANTINE_READER: frozenset({Action.PULL, Action.METADATA_READ, Action.QUARANTINE_READ}),
    # Clients need metadata_write to change a quarantine state, and must not change locks.
    Role.ACR_QUARANTINE_WRITER: frozenset(
        {
            Action.PULL,
            Action.METADATA_READ,
            Action.METADATA_WRITE,
            Action.QUARANTINE_READ,
            Action.QUARANTINE_WRITE,
        }
    ),
    Role.OWNER: frozenset(Action),
}

SCANNING = frozenset({Action.QUARANTINE_READ, Action.QUARANTINE_WRITE})
SCANNERS = frozenset({Role.ACR_QUARANTINE_READER, Role.ACR_QUARANTINE_WRITER})
"""Roles that are for looking at what is withheld, whatever else they grant."""

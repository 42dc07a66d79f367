"""Principals: who may do what, in which repositories."""

from dataclasses import dataclass

from registry.auth.actions import GRANTS, Action, Role
from registry.oci.names import RepositoryName
from registry.oci.patterns import any_covers, covers

ANONYMOUS_ID = ""
MIRROR_ID = "mirror"
"""Of who pushes what comes from upstreams; all others have GUIDs."""
ATTESTER_ID = "attester"
"""Of who pushes signed verdicts, where they are stored."""


@dataclass(frozen=True, slots=True)
class Principal:
    """A caller, known or anonymous.

    Attributes:
        id: a GUID (the username of a service principal); "" for the anonymous caller.
        name: a person's word for it.
        role: what it may do; `None` grants nothing.
        repositories: patterns (`*` matches everything, `/` included); one match is enough.
        grants: in the place of a role, what it may do by pattern of repositories; those that match add up.
    """

    id: str
    name: str
    role: Role | None
    repositories: tuple[str, ...] = ("*",)
    grants: tuple[tuple[str, frozenset[Action]], ...] = ()

    @property
    def is_anonymous(self) -> bool:
        """Whether nobody has signed in."""
        return self.id == ANONYMOUS_ID

    @property
    def may_anything(self) -> bool:
        """Whether anything is granted to it anywhere."""
        return self.role is not None or bool(self.grants)

    @property
    def patterns(self) -> tuple[str, ...]:
        """What every repository that it may use matches one of."""
        return self.repositories if self.role is not None else tuple(pattern for pattern, _ in self.grants)

    @property
    def may_see_deleted(self) -> bool:
        """Whether it may list what was deleted, in the repositories that it reaches."""
        return self.role is not None and Action.DELETED_READ in GRANTS[self.role]

    @property
    def owns_registry(self) -> bool:
        """Whether it has the role that manages the registry as a whole, everywhere."""
        return self.role is Role.OWNER and not self.grants and "*" in self.repositories

    def reaches(self, repository: RepositoryName) -> bool:
        """Whether one of the patterns covers the repository."""
        return any_covers(self.patterns, repository)

    def may(self, action: Action, repository: RepositoryName) -> bool:
        """Whether the action is granted there: by the role, where a pattern covers the repository, or by a grant."""
        if self.role is not None:
            return action in GRANTS[self.role] and any_covers(self.repositories, repository)
        return any(action in actions and covers(pattern, repository) for pattern, actions in self.grants)


def anonymous(*, may_pull: bool) -> Principal:
    """The caller without credentials: reads everything where anonymous pull is on, else nothing."""
    return Principal(ANONYMOUS_ID, "anonymous", Role.ACR_PULL if may_pull else None)


def everybody() -> Principal:
    """The caller where nobody has to sign in: may do everything."""
    return Principal(ANONYMOUS_ID, "anonymous", Role.OWNER)

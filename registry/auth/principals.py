"""Principals: who may do what, in which repositories."""

from dataclasses import dataclass

from registry.auth.actions import GRANTS, Action, Role
from registry.oci.names import RepositoryName
from registry.oci.patterns import any_covers

ANONYMOUS_ID = ""


@dataclass(frozen=True, slots=True)
class Principal:
    """A caller, known or anonymous.

    Attributes:
        id: a GUID (the username of a service principal); "" for the anonymous caller.
        name: a person's word for it.
        role: what it may do; `None` grants nothing.
        repositories: patterns (`*` matches everything, `/` included); one match is enough.
    """

    id: str
    name: str
    role: Role | None
    repositories: tuple[str, ...] = ("*",)

    @property
    def is_anonymous(self) -> bool:
        """Whether nobody has signed in."""
        return self.id == ANONYMOUS_ID

    @property
    def may_see_deleted(self) -> bool:
        """Whether it may list what was deleted, in the repositories that it reaches."""
        return self.role is not None and Action.DELETED_READ in GRANTS[self.role]

    def reaches(self, repository: RepositoryName) -> bool:
        """Whether one of the patterns covers the repository."""
        return any_covers(self.repositories, repository)

    def may(self, action: Action, repository: RepositoryName) -> bool:
        """Whether the role grants the action and a pattern covers the repository."""
        return self.role is not None and action in GRANTS[self.role] and self.reaches(repository)


def anonymous(*, may_pull: bool) -> Principal:
    """The caller without credentials: reads everything where anonymous pull is on, else nothing."""
    return Principal(ANONYMOUS_ID, "anonymous", Role.ACR_PULL if may_pull else None)


def everybody() -> Principal:
    """The caller where nobody has to sign in: may do everything."""
    return Principal(ANONYMOUS_ID, "anonymous", Role.OWNER)

"""Scopes: requested or granted access (distribution, token specification: scope grammar)."""

from collections.abc import Iterable
from dataclasses import dataclass

from registry.auth.actions import Action
from registry.auth.principals import Principal
from registry.oci.errors import NameInvalid
from registry.oci.names import RepositoryName

REPOSITORY = "repository"
REGISTRY = "registry"
CATALOG = "catalog"
DELETED_CATALOG = "deleted_catalog"
EVERYTHING = "*"
SCOPE_MAXIMUM = 1024


@dataclass(frozen=True, slots=True)
class Scope:
    """One resource with the actions asked for or granted.

    Attributes:
        kind: `repository`, `registry`, or a word this registry does not know.
        name: a repository name, `catalog` or `deleted_catalog`.
        actions: words in their order; `*` means all.
    """

    kind: str
    name: str
    actions: tuple[str, ...]

    def __str__(self) -> str:
        """The scope in the grammar `type:name:action[,action]*`."""
        return f"{self.kind}:{self.name}:{','.join(self.actions)}"

    def as_claim(self) -> dict[str, object]:
        """The scope as an entry of a token's `access` claim."""
        return {"type": self.kind, "name": self.name, "actions": list(self.actions)}


CATALOG_SCOPE = Scope(REGISTRY, CATALOG, (EVERYTHING,))
DELETED_CATALOG_SCOPE = Scope(REGISTRY, DELETED_CATALOG, (EVERYTHING,))


def repository_scope(name: RepositoryName, actions: Iterable[Action]) -> Scope:
    """The scope that a challenge names for a repository."""
    return Scope(REPOSITORY, name, tuple(actions))


def parse_scope(text: str) -> Scope | None:
    """Parse one scope; `None` when it is malformed (it then grants nothing).

    The name may hold a colon (`host:port/name`), so the type ends at the first colon and the actions begin at the last.
    A class, as in `repository(plugin)`, is deprecated and means the type alone.
    """
    kind, first, rest = text.partition(":")
    name, last, actions = rest.rpartition(":")
    if not (first and last and kind and name) or len(text) > SCOPE_MAXIMUM:
        return None
    words = tuple(dict.fromkeys(word for word in actions.split(",") if word))
    return Scope(kind.partition("(")[0], name, words)


def parse_scopes(texts: Iterable[str]) -> tuple[Scope, ...]:
    """Parse repeated and space-separated scopes. Those of one resource are joined, malformed ones are left out."""
    joined: dict[tuple[str, str], tuple[str, ...]] = {}
    for text in texts:
        for word in text.split():
            scope = parse_scope(word)
            if scope is not None:
                earlier = joined.get((scope.kind, scope.name), ())
                joined[scope.kind, scope.name] = tuple(dict.fromkeys(earlier + scope.actions))
    return tuple(Scope(kind, name, actions) for (kind, name), actions in joined.items())


def grant(principal: Principal, asked: Iterable[Scope]) -> tuple[Scope, ...]:
    """The part of the scopes that the principal may have; asking for more is never an error."""
    granted = (_narrow(principal, scope) for scope in asked)
    return tuple(scope for scope in granted if scope.actions)


def _narrow(principal: Principal, scope: Scope) -> Scope:
    nothing = Scope(scope.kind, scope.name, ())
    if scope.kind == REGISTRY and scope.name == CATALOG:
        return CATALOG_SCOPE if principal.may_anything and scope.actions else nothing
    if scope.kind == REGISTRY and scope.name == DELETED_CATALOG:
        return DELETED_CATALOG_SCOPE if principal.may_see_deleted and scope.actions else nothing
    if scope.kind != REPOSITORY or not principal.may_anything:
        return nothing
    try:
        name = RepositoryName.parse(scope.name)
    except NameInvalid:
        return nothing
    allowed = sorted(action for action in Action if principal.may(action, name))
    return Scope(REPOSITORY, name, tuple(a for a in allowed if EVERYTHING in scope.actions or a in scope.actions))

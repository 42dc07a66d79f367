"""The scope grammar, and what is granted of what is asked."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry.auth.actions import Action, Role
from registry.auth.principals import Principal, anonymous
from registry.auth.scopes import Scope, grant, parse_scope, parse_scopes

PULLER = Principal("id", "reader", Role.ACR_PULL, ("team/*",))
OWNER = Principal("id", "admin", Role.OWNER)


@pytest.mark.parametrize(
    ("text", "scope"),
    [
        ("repository:team/app:pull,push", Scope("repository", "team/app", ("pull", "push"))),
        ("repository(plugin):team/app:pull", Scope("repository", "team/app", ("pull",))),
        ("repository:host:5000/team/app:pull", Scope("repository", "host:5000/team/app", ("pull",))),
        ("registry:catalog:*", Scope("registry", "catalog", ("*",))),
        ("repository:team/app:pull,pull", Scope("repository", "team/app", ("pull",))),
        ("repository:team/app:", Scope("repository", "team/app", ())),
        ("repository:team/app", None),
        ("repository", None),
        ("::", None),
        ("", None),
        ("repository:" + "a" * 2000 + ":pull", None),
    ],
)
def test_grammar(text: str, scope: Scope | None) -> None:
    """The type ends at the first colon, the actions begin at the last; anything else is no scope."""
    assert parse_scope(text) == scope


def test_repeated_and_spaced_scopes_are_joined() -> None:
    """Docker repeats the parameter, the OAuth2 form separates by spaces; one resource becomes one scope."""
    scopes = parse_scopes(["repository:a:pull repository:b:pull", "repository:a:push", "nonsense"])
    assert [str(scope) for scope in scopes] == ["repository:a:pull,push", "repository:b:pull"]


@given(st.text(max_size=60))
def test_no_text_breaks_the_parser(text: str) -> None:
    """Whatever comes, a scope or nothing is the answer, and granting it never fails."""
    scope = parse_scope(text)
    if scope is not None:
        grant(OWNER, [scope])


@pytest.mark.parametrize(
    ("principal", "asked", "granted"),
    [
        (PULLER, "repository:team/app:pull,push,delete", "repository:team/app:pull"),
        (PULLER, "repository:other/app:pull", ""),
        (PULLER, "repository:team/app:*", "repository:team/app:metadata_read,pull"),
        (OWNER, "repository:team/app:*", f"repository:team/app:{','.join(sorted(Action))}"),
        (OWNER, "repository:Team/App:pull", ""),
        (OWNER, "repository:team/app:fly", ""),
        (OWNER, "artifact-repository:repo:pull", ""),
        (PULLER, "registry:catalog:*", "registry:catalog:*"),
        (anonymous(may_pull=True), "repository:team/app:pull,delete", "repository:team/app:pull"),
        (anonymous(may_pull=False), "repository:team/app:pull", ""),
        (anonymous(may_pull=False), "registry:catalog:*", ""),
    ],
)
def test_grant_is_the_intersection(principal: Principal, asked: str, granted: str) -> None:
    """What the role does not give is left out, silently."""
    assert " ".join(map(str, grant(principal, parse_scopes([asked])))) == granted


def test_claims_are_in_lower_case() -> None:
    """Today's clients read `type`, `name` and `actions` in lower case."""
    claim = Scope("repository", "team/app", (Action.PULL,)).as_claim()
    assert claim == {"type": "repository", "name": "team/app", "actions": ["pull"]}

"""Access: who may do what, by which credentials, and what is said to whom may not."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from registry.auth import enrolment
from registry.auth.access import Access
from registry.auth.actions import GRANTS, Action, Role
from registry.auth.credentials import NULL_GUID
from registry.auth.enrolment import Enrolment
from registry.auth.principals import Principal
from registry.auth.scopes import parse_scopes
from registry.oci.errors import Denied, Unauthorized
from tests.registry.auth.people import (
    APP,
    OTHER,
    Desk,
    basic,
    ended,
    origin,
    person,
    principal_of,
    request,
    signed,
)

PULLER = person(Role.ACR_PULL)
PUSHER = person(Role.ACR_PUSH)
BOUND = person(Role.ACR_PUSH, "team/*")
OWNER = person(Role.OWNER)
NOW = time.time()


def ask(desk: Desk, action: Action, authorization: str = "", name: str = APP) -> Principal:
    """Require an action of a request."""
    return asyncio.run(desk.authority.access.require(request(authorization), type(APP).parse(name), action))


def token(desk: Desk, made: Enrolment, scope: str) -> str:
    """An access token for a scope, granted or not, as a header."""
    return "Bearer " + desk.authority.tokens.access(principal_of(made), parse_scopes([scope]), origin(made)).text


def challenge_of(error: Unauthorized) -> str:
    """What the client is told, after the realm."""
    return error.headers["WWW-Authenticate"].partition(",")[2]


@pytest.mark.parametrize("role", list(Role))
@pytest.mark.parametrize("action", list(Action))
def test_basic_grants_what_the_role_grants(open_desk: Desk, role: Role, action: Action) -> None:
    """Every role against every action; pushing needs pull as well, which AcrPush has."""
    if action in GRANTS[role]:
        assert ask(open_desk, action, signed(person(role))).role is role
    else:
        with pytest.raises(Denied):
            ask(open_desk, action, signed(person(role)))


def test_name_is_accepted_as_user_name(open_desk: Desk) -> None:
    """A person types the name rather than the GUID."""
    assert ask(open_desk, Action.PULL, basic("acrpull", PULLER.secret("password2"))).id == PULLER.row.id


def test_refusal_names_principal_role_and_need(open_desk: Desk) -> None:
    """Docker prints this sentence."""
    with pytest.raises(Denied) as refused:
        ask(open_desk, Action.PUSH, signed(PULLER))
    expected = "principal acrpull (role AcrPull) may not push to team/app: needs role AcrPush or Owner"
    assert refused.value.message == expected


def test_refusal_names_the_patterns(open_desk: Desk) -> None:
    """The role would do, the repository is out of reach."""
    with pytest.raises(Denied) as refused:
        ask(open_desk, Action.PUSH, signed(BOUND), OTHER)
    expected = "principal acrpush-bound (role AcrPush) may not push to other/app: it is bound to team/*"
    assert refused.value.message == expected


@pytest.mark.parametrize(
    ("action", "scope"),
    [
        (Action.PULL, "pull"),
        (Action.PUSH, "pull,push"),
        (Action.DELETE, "delete"),
        (Action.METADATA_READ, "metadata_read"),
        (Action.METADATA_WRITE, "metadata_write"),
    ],
)
def test_without_credentials_the_challenge_names_the_scope(open_desk: Desk, action: Action, scope: str) -> None:
    """The client asks the token endpoint for just that."""
    with pytest.raises(Unauthorized) as refused:
        ask(open_desk, action)
    assert challenge_of(refused.value) == f'service="registry.example:5000",scope="repository:team/app:{scope}"'
    assert refused.value.detail[0] == {
        "Type": "repository",
        "Name": "team/app",
        "Action": scope.split(",", maxsplit=1)[0],
    }


def test_wrong_secret_is_challenged_again(open_desk: Desk) -> None:
    """It is no anonymous call, and the message does not say which of the two was wrong."""
    messages = []
    for header in (basic("acrpull", "wrong"), basic("nobody", PULLER.secret())):
        with pytest.raises(Unauthorized) as refused:
            ask(open_desk, Action.PULL, header)
        messages.append(refused.value.message)
    assert messages[0] == messages[1]


@pytest.mark.parametrize("header", ["Digest x", "Basic !", "Bearer", "Bearer nonsense"])
def test_unreadable_credentials_are_not_anonymous(open_desk: Desk, header: str) -> None:
    """Even where anonymous pull is on: the client meant to be somebody."""
    open_desk.change(anonymous_pull=True)
    with pytest.raises(Unauthorized):
        ask(open_desk, Action.PULL, header)


def test_token_that_covers_is_let_in(open_desk: Desk) -> None:
    """What was granted counts."""
    header = token(open_desk, PUSHER, "repository:team/app:pull,push")
    assert ask(open_desk, Action.PUSH, header).id == PUSHER.row.id


def test_pull_token_reads_metadata(open_desk: Desk) -> None:
    """As in ACR, pull includes it."""
    assert ask(open_desk, Action.METADATA_READ, token(open_desk, PULLER, "repository:team/app:pull"))


@pytest.mark.parametrize(
    "scope", ["repository:team/app:pull", "repository:other/app:pull,push", "", "registry:catalog:*"]
)
def test_narrow_token_is_insufficient_not_forbidden(open_desk: Desk, scope: str) -> None:
    """401 with insufficient_scope and the scope that is wanted: clients then ask for a wider token."""
    with pytest.raises(Unauthorized) as refused:
        ask(open_desk, Action.PUSH, token(open_desk, PUSHER, scope))
    challenge = challenge_of(refused.value)
    assert ',scope="repository:team/app:pull,push",error_description="the token of principal' in challenge
    assert challenge.endswith('",error="insufficient_scope"')
    assert "does not cover pull,push on team/app" in refused.value.message


def test_narrow_token_of_a_role_too_small_says_so(open_desk: Desk) -> None:
    """The message carries the reason that a wider token would not cure."""
    with pytest.raises(Unauthorized) as refused:
        ask(open_desk, Action.PUSH, token(open_desk, PULLER, "repository:team/app:pull"))
    expected = "principal acrpull (role AcrPull) may not push to team/app: needs role AcrPush or Owner"
    assert refused.value.message == expected


def test_token_does_not_outgrow_the_role(open_desk: Desk) -> None:
    """A token that says push, of a principal that may only pull, pushes nothing."""
    with pytest.raises(Unauthorized):
        ask(open_desk, Action.PUSH, token(open_desk, PULLER, "repository:team/app:pull,push"))


def test_bad_token_is_invalid(open_desk: Desk) -> None:
    """The client learns that the token itself is the trouble."""
    with pytest.raises(Unauthorized) as refused:
        ask(open_desk, Action.PULL, "Bearer nonsense")
    assert challenge_of(refused.value).endswith('error="invalid_token"')


def test_refresh_token_is_no_bearer(open_desk: Desk) -> None:
    """It grants nothing by itself."""
    principal = ask(open_desk, Action.PULL, signed(OWNER))
    with pytest.raises(Unauthorized):
        ask(open_desk, Action.PULL, "Bearer " + open_desk.authority.tokens.refresh(principal, origin(OWNER)).text)


def test_tokens_in_the_place_of_a_secret(open_desk: Desk) -> None:
    """With the null GUID as user name, a refresh token stands for the principal, an access token for its scope."""
    principal = ask(open_desk, Action.PULL, signed(OWNER))
    refresh = open_desk.authority.tokens.refresh(principal, origin(OWNER)).text
    access = token(open_desk, OWNER, "repository:team/app:pull").removeprefix("Bearer ")
    assert ask(open_desk, Action.DELETE, basic(NULL_GUID, refresh)).id == OWNER.row.id
    assert ask(open_desk, Action.PULL, basic(NULL_GUID, access)).id == OWNER.row.id
    with pytest.raises(Unauthorized):
        ask(open_desk, Action.DELETE, basic(NULL_GUID, access))


@pytest.mark.parametrize("by_token", [False, True])
def test_disabled_principal_is_out_at_once(open_desk: Desk, *, by_token: bool) -> None:
    """Its secrets and its tokens alike, although both were good, and remembered, a moment ago."""
    authorization = token(open_desk, PUSHER, "repository:team/app:pull,push") if by_token else signed(PUSHER)
    ask(open_desk, Action.PUSH, authorization)
    asyncio.run(open_desk.metadata.write(enrolment.enable, "acrpush", enabled=False))
    with pytest.raises(Unauthorized):
        ask(open_desk, Action.PUSH, authorization)


def test_rotated_secret_is_out_at_once(open_desk: Desk) -> None:
    """A remembered secret does not outlive its hash."""
    ask(open_desk, Action.PULL, signed(PULLER))
    made = enrolment.make_secrets(["password1"], 1, 0.0)
    asyncio.run(open_desk.metadata.write(enrolment.rotate, "acrpull", made))
    with pytest.raises(Unauthorized):
        ask(open_desk, Action.PULL, signed(PULLER))


@pytest.mark.parametrize("remembered", [False, True])
def test_rotated_secret_takes_its_tokens_along(open_desk: Desk, *, remembered: bool) -> None:
    """A token is good for as long as the secret it was got with; one of the other secret stays."""
    authorization = token(open_desk, PULLER, "repository:team/app:pull")
    if remembered:
        ask(open_desk, Action.PULL, authorization)
    asyncio.run(open_desk.metadata.write(enrolment.rotate, "acrpull", enrolment.make_secrets(["password2"], 1, NOW)))
    ask(open_desk, Action.PULL, authorization)
    asyncio.run(open_desk.metadata.write(enrolment.rotate, "acrpull", enrolment.make_secrets(["password1"], 1, NOW)))
    with pytest.raises(Unauthorized, match="renewed or has expired"):
        ask(open_desk, Action.PULL, authorization)


def identify(desk: Desk, authorization: str = "") -> Principal:
    """Ask as `GET /v2/` does."""
    return asyncio.run(desk.authority.access.identify(request(authorization)))


@pytest.mark.parametrize("anonymous_pull", [False, True])
def test_v2_without_credentials_is_challenged(open_desk: Desk, *, anonymous_pull: bool) -> None:
    """Without a scope, and even where anonymous pull is on: az stops working otherwise."""
    open_desk.change(anonymous_pull=anonymous_pull)
    with pytest.raises(Unauthorized) as refused:
        identify(open_desk)
    assert challenge_of(refused.value) == 'service="registry.example:5000"'


def test_v2_with_credentials(open_desk: Desk) -> None:
    """A secret or any token of ours is enough."""
    assert identify(open_desk, signed(PULLER)).name == "acrpull"
    assert identify(open_desk, token(open_desk, PULLER, "")).name == "acrpull"


def test_anonymous_pull(open_desk: Desk) -> None:
    """A live setting: on, everything can be read without credentials, and nothing else."""
    open_desk.change(anonymous_pull=True)
    assert ask(open_desk, Action.PULL).is_anonymous
    for action in (Action.PUSH, Action.DELETE, Action.METADATA_WRITE):
        with pytest.raises(Unauthorized):
            ask(open_desk, action)
    open_desk.change(anonymous_pull=False)
    with pytest.raises(Unauthorized):
        ask(open_desk, Action.PULL)


def test_nobody_has_to_sign_in_where_so_set(open_desk: Desk) -> None:
    """For closed test set-ups: everybody is the owner."""
    open_desk.change(required=False)
    assert ask(open_desk, Action.DELETE).is_anonymous
    assert identify(open_desk).is_anonymous


def test_catalog_needs_its_own_scope(open_desk: Desk) -> None:
    """With a secret any role will do; a token must have been made for the catalog."""
    access = open_desk.authority.access
    assert asyncio.run(access.require_catalog(request(signed(PULLER)))).name == "acrpull"
    assert asyncio.run(access.require_catalog(request(token(open_desk, PULLER, "registry:catalog:*"))))
    for header in ("", token(open_desk, PULLER, "repository:team/app:pull")):
        with pytest.raises(Unauthorized) as refused:
            asyncio.run(access.require_catalog(request(header)))
        assert 'scope="registry:catalog:*"' in challenge_of(refused.value)


def test_mount_source_is_asked_for_but_not_demanded(open_desk: Desk) -> None:
    """The challenge names both repositories; a token without the source still pushes, and cannot read the source."""
    access = open_desk.authority.access
    with pytest.raises(Unauthorized) as refused:
        asyncio.run(access.require(request(), APP, Action.PUSH, also=[OTHER]))
    assert 'scope="repository:team/app:pull,push repository:other/app:pull"' in challenge_of(refused.value)
    made = request(token(open_desk, PUSHER, "repository:team/app:pull,push"))
    principal = asyncio.run(access.require(made, APP, Action.PUSH, also=[OTHER]))
    assert [access.readable(made, principal)(name) for name in (APP, OTHER)] == [True, False]


def owner_is(principal_id: str) -> Callable[[], Awaitable[str]]:
    """A session started by this principal."""

    async def owner() -> str:
        return principal_id

    return owner


def in_session(access: Access, header: str, starter: str) -> Principal:
    """A request within an upload session."""
    return asyncio.run(access.require(request(header), APP, Action.PUSH, session=owner_is(starter)))


@pytest.fixture
def ended_token(open_desk: Desk, tmp_path: Path) -> str:
    """A token of the pusher that ended an hour ago."""
    return "Bearer " + ended(tmp_path, open_desk.settings, PUSHER, "repository:team/app:pull,push")


def test_ended_token_carries_on_its_own_session(open_desk: Desk, ended_token: str) -> None:
    """A long upload is not cut because an hour is over."""
    access = open_desk.authority.access
    assert in_session(access, ended_token, PUSHER.row.id).id == PUSHER.row.id
    with pytest.raises(Unauthorized):
        ask(open_desk, Action.PUSH, ended_token)


def test_ended_token_does_not_carry_on_another_session(open_desk: Desk, ended_token: str) -> None:
    """Only what the same principal began."""
    with pytest.raises(Unauthorized):
        in_session(open_desk.authority.access, ended_token, OWNER.row.id)


def test_grace_ends(open_desk: Desk, ended_token: str) -> None:
    """The grace is a setting."""
    open_desk.change(session_grace_seconds=3599)
    with pytest.raises(Unauthorized):
        in_session(open_desk.authority.access, ended_token, PUSHER.row.id)


def test_disabled_principal_has_no_grace(open_desk: Desk, ended_token: str) -> None:
    """Whoever was shut out does not finish either."""
    asyncio.run(open_desk.metadata.write(enrolment.enable, "acrpush", enabled=False))
    with pytest.raises(Unauthorized):
        in_session(open_desk.authority.access, ended_token, PUSHER.row.id)


def test_recall_answers_only_what_is_certain(open_desk: Desk) -> None:
    """The fast way says yes after the slow one did, and never for another action, name or secret."""
    access, header = open_desk.authority.access, signed(PULLER)
    assert access.recall(header, APP, Action.PULL) is None
    ask(open_desk, Action.PULL, header)
    assert access.recall(header, APP, Action.PULL) is not None
    assert access.recall(header, APP, Action.PUSH) is None
    assert access.recall(basic("acrpull", "wrong"), APP, Action.PULL) is None
    assert access.recall(None, APP, Action.PULL) is None


def test_recall_of_a_lister_answers_only_what_is_certain(open_desk: Desk) -> None:
    """A secret once it was checked; of tokens only one that was made for the catalog; nobody without credentials."""
    access, header = open_desk.authority.access, signed(PULLER)
    assert access.recall_lister(header) is None
    asyncio.run(access.require_catalog(request(header)))
    assert access.recall_lister(header) is not None
    for scope, certain in (("registry:catalog:*", True), ("repository:team/app:pull", False)):
        narrow = token(open_desk, PULLER, scope)
        asyncio.run(access.identify(request(narrow)))
        assert (access.recall_lister(narrow) is not None) is certain
    assert access.recall_lister(None) is None


def test_caller_is_known_whatever_its_token_covers(open_desk: Desk) -> None:
    """A token narrows what may be done, not who is told to have done it."""
    made = request(token(open_desk, PULLER, "repository:team/app:pull"))
    asyncio.run(open_desk.authority.access.require(made, APP, Action.PULL))
    caller = open_desk.authority.access.caller(made)
    assert caller is not None
    assert caller.name == "acrpull"


def test_caller_is_known_even_when_refused(open_desk: Desk) -> None:
    """The audit names who tried."""
    made = request(signed(PULLER))
    with pytest.raises(Denied):
        asyncio.run(open_desk.authority.access.require(made, APP, Action.PUSH))
    caller = open_desk.authority.access.caller(made)
    assert caller is not None
    assert caller.name == "acrpull"

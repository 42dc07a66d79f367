"""The end of a secret is the end of everything that was got with it, at the next request, and for good."""

import asyncio
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import httpx
import pytest
from sqlalchemy import Connection

from registry.auth import enrolment
from registry.auth.actions import Role
from registry.auth.credentials import NULL_GUID
from registry.auth.enrolment import EnrolmentRefused, make_secrets
from registry.metadata import principals as rows
from registry.metadata.open_store import open_metadata
from registry.metadata.principals import SecretRow
from tests.registry.api.guarded import guarded_registry
from tests.registry.auth.people import basic, person
from tests.servers import LiveRegistry

PUSHER = person(Role.ACR_PUSH)
NAME = PUSHER.row.name
SCOPE = "repository:team/app:pull,push"
FORM = {"username": NAME, "password": PUSHER.secret(), "scope": SCOPE, "access_type": "offline"}

End = Callable[[Connection], object]


@pytest.fixture(name="live")
def _live(tmp_path: Path) -> Iterator[LiveRegistry]:
    with guarded_registry(tmp_path) as running:
        yield running


def rotate(connection: Connection) -> None:
    """As `basegate principal rotate` does."""
    enrolment.rotate(connection, NAME, make_secrets(["password1"], 1, time.time()))


def expire(connection: Connection) -> None:
    """The secret's last second was a moment ago."""
    known = PUSHER.row.secrets[0]
    rows.replace_secrets(connection, PUSHER.row.id, [SecretRow(known.name, known.hash, time.time() - 1, 0.0)])


def disable(connection: Connection) -> None:
    """As `basegate principal disable` does."""
    enrolment.enable(connection, NAME, enabled=False)


def delete(connection: Connection) -> None:
    """As `basegate principal delete` does."""
    enrolment.delete(connection, NAME)


ENDS: tuple[End, ...] = (rotate, expire, disable, delete)


def write(live: LiveRegistry, change: End, *, elsewhere: bool) -> None:
    """Change the rows, in the server or, as a command does, over a connection of one's own."""
    if not elsewhere:
        asyncio.run(live.app.services.stores.metadata.write(change))
        return
    with closing(open_metadata(live.data)) as metadata:
        asyncio.run(metadata.write(change))


def derived(client: httpx.Client) -> tuple[str, str, str]:
    """An access token, a refresh token, and one that was exchanged for that one."""
    reply = client.post("/oauth2/token", data={"grant_type": "password", **FORM}).json()
    form = {"grant_type": "refresh_token", "refresh_token": reply["refresh_token"]}
    exchanged = client.post("/oauth2/exchange", data=form).json()["refresh_token"]
    return reply["access_token"], reply["refresh_token"], exchanged


def answers(client: httpx.Client, access: str, *kept: str) -> set[int]:
    """What every use of the tokens is answered."""
    headers = [f"Bearer {access}", *(basic(NULL_GUID, each) for each in (access, *kept))]
    used = [client.get("/v2/", headers={"Authorization": header}) for header in headers]
    used += [client.get("/oauth2/token", headers={"Authorization": header}) for header in headers[1:]]
    for each in kept:
        form = {"grant_type": "refresh_token", "refresh_token": each, "scope": SCOPE}
        used += [client.post(path, data=form) for path in ("/oauth2/token", "/oauth2/exchange")]
    return {reply.status_code for reply in used}


@pytest.mark.parametrize("end", ENDS)
@pytest.mark.parametrize("elsewhere", [False, True], ids=["here", "by command"])
def test_end_of_a_secret_ends_its_tokens(live: LiveRegistry, end: End, *, elsewhere: bool) -> None:
    """Access tokens, refresh tokens and exchanged ones, in every place where they count."""
    with live.client() as client:
        tokens = derived(client)
        assert answers(client, *tokens) == {200}
        write(live, end, elsewhere=elsewhere)
        if elsewhere:
            time.sleep(1)
        assert answers(client, *tokens) == {401}


@pytest.mark.parametrize("end", ENDS)
def test_end_of_a_secret_ends_its_upload(live: LiveRegistry, end: End) -> None:
    """The grace for tokens that end during an upload is none for secrets."""
    with live.client() as client:
        bearer = {"Authorization": f"Bearer {derived(client)[0]}"}
        place = client.post("/v2/team/app/blobs/uploads/", headers=bearer).headers["Location"]
        assert client.patch(place, content=b"one", headers=bearer).status_code == 202
        write(live, end, elsewhere=False)
        assert client.patch(place, content=b"two", headers=bearer).status_code == 401


def test_tokens_of_the_other_secret_stay(live: LiveRegistry) -> None:
    """A build goes on with one secret while the other is renewed."""
    with live.client() as client:
        tokens = derived(client)
        change = make_secrets(["password2"], 1, time.time())
        asyncio.run(live.app.services.stores.metadata.write(enrolment.rotate, NAME, change))
        assert answers(client, *tokens) == {200}


def test_new_principal_of_the_same_name_has_no_old_tokens(live: LiveRegistry) -> None:
    """Who is deleted and made again signs in again."""
    with live.client() as client:
        tokens = derived(client)
        write(live, delete, elsewhere=False)
        write(live, lambda connection: enrolment.record(connection, enrolment.draft(NAME, Role.OWNER)), elsewhere=False)
        assert answers(client, *tokens) == {401}
        with pytest.raises(EnrolmentRefused):
            write(live, lambda connection: enrolment.existing(connection, PUSHER.row.id), elsewhere=False)

"""Enrolment: principals made, secrets made and renewed, the first start."""

import asyncio
import time
from pathlib import Path

import pytest

from registry.auth.actions import Role
from registry.auth.enrolment import (
    EnrolmentRefused,
    delete,
    draft,
    existing,
    first_start,
    make_secrets,
    record,
    rotate,
)
from registry.auth.secret_hash import matches
from registry.metadata.open_store import open_metadata
from registry.metadata.principals import everyone, find
from tests.registry.auth.people import Desk, person


def test_document_has_the_fixed_form() -> None:
    """Other programs read these members of `principal create --json`."""
    document = person(Role.ACR_PUSH, "team/*").as_document()
    assert list(document) == ["name", "id", "role", "repositories", "secrets"]
    assert [list(secret) for secret in document["secrets"]] == [["name", "value", "expires"]] * 2
    assert [secret["name"] for secret in document["secrets"]] == ["password1", "password2"]
    assert document["repositories"] == ["team/*"]


def test_only_hashes_are_kept(open_desk: Desk) -> None:
    """What the table holds matches the secret and is not the secret."""
    made = person(Role.ACR_PULL)
    row = asyncio.run(open_desk.metadata.read(find, "acrpull"))
    assert row is not None
    assert made.secret() not in repr(row)
    assert matches(made.secret("password2"), row.secrets[1].hash)


@pytest.mark.parametrize("name", ["", "-a", "a b", "a" * 65, "é", "a\n", "00000000-0000-0000-0000-000000000000"])
def test_names_keep_to_a_grammar(name: str) -> None:
    """A name that looks like an id could be mistaken for another principal."""
    with pytest.raises(EnrolmentRefused, match="is not valid"):
        draft(name, Role.OWNER)


def test_patterns_keep_to_a_grammar() -> None:
    """A pattern that no repository can match is a mistake, and is said to be one."""
    with pytest.raises(EnrolmentRefused, match="repository pattern"):
        draft("ci", Role.OWNER, ["Team/*"])


def test_name_is_unique(open_desk: Desk) -> None:
    """The second of a name is refused and changes nothing."""
    before = asyncio.run(open_desk.metadata.read(everyone))
    with pytest.raises(EnrolmentRefused, match="exists already"):
        asyncio.run(open_desk.metadata.write(record, person(Role.ACR_PULL)))
    assert asyncio.run(open_desk.metadata.read(everyone)) == before


def test_rotation_of_one_secret_leaves_the_other(open_desk: Desk) -> None:
    """That is how a secret is renewed without an outage."""
    before = asyncio.run(open_desk.metadata.read(existing, "acrpull"))
    made = make_secrets(["password2"], 30, time.time())
    after = asyncio.run(open_desk.metadata.write(rotate, "acrpull", made)).row
    assert after.secrets[0] == before.secrets[0]
    assert after.secrets[1] == made[0].row


def test_deleted_principal_leaves_no_hash(open_desk: Desk) -> None:
    """A principal made anew under the name starts from nothing."""
    asyncio.run(open_desk.metadata.write(delete, "acrpull"))
    assert asyncio.run(open_desk.metadata.read(find, "acrpull")) is None


def test_unknown_principal_is_named(open_desk: Desk) -> None:
    """The message says what was looked for and how to see all."""
    with pytest.raises(EnrolmentRefused, match=r"no principal ghost.*principal list"):
        asyncio.run(open_desk.metadata.read(existing, "ghost"))


def test_first_start_makes_admin_and_reader_once(tmp_path: Path) -> None:
    """An empty registry gets an owner and a reader; the second start makes and shows nothing."""
    metadata = open_metadata(tmp_path)
    made = asyncio.run(first_start(metadata))
    again = asyncio.run(first_start(metadata))
    rows = asyncio.run(metadata.read(everyone))
    metadata.close()
    assert made is not None
    assert again is None
    assert {(row.name, row.role) for row in rows} == {("admin", "Owner"), ("reader", "AcrPull")}
    assert made.admin.secret() != made.reader.secret()

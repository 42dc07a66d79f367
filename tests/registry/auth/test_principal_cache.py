"""The principals as a running server knows them."""

import asyncio
from pathlib import Path

from registry.auth import enrolment
from registry.auth.actions import Role
from registry.auth.principal_cache import Account, account_of
from registry.metadata.open_store import open_metadata
from registry.metadata.principals import PrincipalRow
from tests.registry.auth.people import Desk, person

PULLER = person(Role.ACR_PULL)


def find(desk: Desk, username: str) -> Account | None:
    """Ask the directory."""
    return asyncio.run(desk.authority.directory.find(username))


def test_found_by_name_and_by_id_in_any_case(open_desk: Desk) -> None:
    """Both are user names."""
    found = [find(open_desk, username) for username in ("acrpull", PULLER.row.id, PULLER.row.id.upper())]
    assert {account.principal.id for account in found if account} == {PULLER.row.id}


def test_unknown_is_not_found(open_desk: Desk) -> None:
    """Nor are an empty name and one of megabytes."""
    assert [find(open_desk, username) for username in ("nobody", "", "x" * 1_000_000)] == [None, None, None]


def test_remembered_until_something_is_written(open_desk: Desk) -> None:
    """Without a write no database is asked; after one, it is."""
    assert open_desk.authority.directory.recall("acrpull") is None
    find(open_desk, "acrpull")
    assert open_desk.authority.directory.recall("acrpull") is not None
    asyncio.run(open_desk.metadata.write(enrolment.enable, "owner", enabled=False))
    assert open_desk.authority.directory.recall("acrpull") is None


def test_change_by_another_process_counts_within_a_second(open_desk: Desk, tmp_path: Path) -> None:
    """The command line disables a principal while the server runs."""
    find(open_desk, "acrpull")
    other = open_metadata(tmp_path)
    asyncio.run(other.write(enrolment.enable, "acrpull", enabled=False))
    other.close()

    async def gone() -> bool:
        for _ in range(20):
            await asyncio.sleep(0.05)
            if await open_desk.authority.directory.find("acrpull") is None:
                return True
        return False

    assert asyncio.run(gone())


def test_role_of_a_later_version_grants_nothing() -> None:
    """A word this program does not know must not become a right."""
    account = account_of(PrincipalRow("id", "name", "AcrEverything", ("*",), True, 0.0))
    assert account is not None
    assert account.principal.role is None


def test_expired_secrets_do_not_count(open_desk: Desk) -> None:
    """The hashes offered for comparison are those of the secrets that still live."""
    account = find(open_desk, "acrpull")
    assert account is not None
    ends = min(origin.ends for origin in account.origins.values())
    assert (len(account.hashes(ends - 1)), len(account.hashes(ends))) == (2, 0)

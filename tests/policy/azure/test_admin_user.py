"""The admin user: off, on, shown and renewed."""

import asyncio
import json
import stat
from collections.abc import Coroutine, Iterator
from pathlib import Path
from typing import Any, TypeVar

import pytest

from policy.azure.admin_user import FILE, AdminAccount, AdminUser, AdminUserRefused
from policy.azure.scope_maps import RepositoryTokens, ScopeMaps
from tests.policy.live import LiveGateway, live_gateway

T = TypeVar("T")


def run(work: Coroutine[Any, Any, T]) -> T:
    """Beside the server."""
    return asyncio.run(work)


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveGateway]:
    """A basegate of its own."""
    with live_gateway(tmp_path_factory.mktemp("admin") / "data") as started:
        yield started


def admin(live: LiveGateway, *, forced: bool = False, name: str = "basegate") -> AdminUser:
    """Its admin user."""
    return AdminUser(live.registry.data, live.registry.app.services.stores.metadata, name, forced=forced)


def statuses(live: LiveGateway, account: AdminAccount, name: str = "basegate") -> list[int]:
    """What each password is answered at the door."""
    found = []
    for value in account.passwords.values():
        with live.registry.client(auth=(name, value)) as client:
            found.append(client.get("/v2/").status_code)
    return found


def test_it_is_off_at_first(live: LiveGateway, tmp_path: Path) -> None:
    """No file, no principal."""
    other = AdminUser(tmp_path, live.registry.app.services.stores.metadata, "nobody")
    run(other.establish())
    assert run(other.account()) is None
    assert list(tmp_path.iterdir()) == []


def test_it_does_everything_with_content(live: LiveGateway) -> None:
    """Pull, push, delete, locks, lists; but releases nothing from quarantine, and is no token."""
    account = run(admin(live).enable(enabled=True))
    with live.registry.client(auth=("basegate", account.passwords["password"])) as client:
        assert client.post("/v2/team/app/blobs/uploads/").status_code == 202
        assert client.delete("/v2/team/app/manifests/none").status_code == 404
        assert client.patch("/acr/v1/team/app", json={}).status_code == 404
        scope = "repository:team/app:quarantine_write,deleted_restore registry:catalog:*"
        assert client.get("/oauth2/token", params={"scope": scope}).json()["scope"] == "registry:catalog:*"
    metadata = live.registry.app.services.stores.metadata
    assert run(RepositoryTokens(metadata).all()) == []
    assert all(each.is_system for each in run(ScopeMaps(metadata).all()))


def test_passwords_are_shown_and_renewed_one_by_one(live: LiveGateway) -> None:
    """The file is the server's user's alone."""
    account = run(admin(live).enable(enabled=True))
    assert run(admin(live).account()) == account
    renewed = run(admin(live).renew("password2"))
    assert renewed.passwords["password"] == account.passwords["password"]
    assert statuses(live, account) == [200, 401]
    assert statuses(live, renewed) == [200, 200]
    assert stat.S_IMODE((live.registry.data / FILE).stat().st_mode) == 0o600


def test_switched_off_it_does_not_sign_in(live: LiveGateway) -> None:
    """Until it is on again, with the same passwords."""
    account = run(admin(live).enable(enabled=True))
    run(admin(live).enable(enabled=False))
    assert statuses(live, account) == [401, 401]
    with pytest.raises(AdminUserRefused, match="not on"):
        run(admin(live).renew("password"))
    assert run(admin(live).enable(enabled=True)).passwords == account.passwords
    assert statuses(live, account) == [200, 200]


def test_a_setting_has_it_on(live: LiveGateway) -> None:
    """Whatever the file says; and it cannot be switched off then."""
    run(admin(live).enable(enabled=False))
    run(admin(live, forced=True).establish())
    account = run(admin(live, forced=True).account())
    assert account is not None
    assert statuses(live, account) == [200, 200]
    with pytest.raises(AdminUserRefused, match="setting azure"):
        run(admin(live, forced=True).enable(enabled=False))
    run(admin(live).establish())
    assert statuses(live, account) == [401, 401]


def test_a_server_makes_it_at_the_start(tmp_path: Path) -> None:
    """When the setting says so."""
    with live_gateway(tmp_path / "data", azure={"admin_user": True}) as live:
        path = live.registry.data / FILE
        while not path.exists():
            continue
        run(admin(live, forced=True).establish())  # waits for the same rows
        passwords = json.loads(path.read_bytes())["passwords"]
        assert statuses(live, AdminAccount("", passwords=passwords)) == [200, 200]


def test_it_follows_the_registry_s_name(live: LiveGateway) -> None:
    """With its passwords; a principal that has the name already stays what it is."""
    account = run(admin(live).enable(enabled=True))
    run(admin(live, name="renamed").establish())
    assert statuses(live, account, "renamed") == [200, 200]
    assert statuses(live, account) == [401, 401]
    with pytest.raises(AdminUserRefused, match="a principal is called reader"):
        run(admin(live, name="reader").establish())
    run(admin(live).establish())


def test_a_file_that_cannot_be_read_is_told(live: LiveGateway) -> None:
    """With what to do."""
    path = live.registry.data / FILE
    kept = path.read_bytes()
    path.write_bytes(b"x")
    with pytest.raises(AdminUserRefused, match="cannot be read"):
        run(admin(live).account())
    path.write_bytes(kept)

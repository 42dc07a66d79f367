"""The admin user over ARM: switched on, shown, renewed, switched off."""

from collections.abc import Iterator

import httpx
import pytest

from tests.policy.azure.endpoint import REGISTRY, LiveEndpoint, code_of


def switch(client: httpx.Client, *, on: bool) -> bool:
    """`az acr update --admin-enabled`; what the registry says then."""
    answer = client.patch(REGISTRY, json={"properties": {"adminUserEnabled": on}}).raise_for_status()
    return bool(answer.json()["properties"]["adminUserEnabled"])


@pytest.fixture
def owner(endpoint: LiveEndpoint) -> Iterator[httpx.Client]:
    """Who may switch it; it is off again afterwards."""
    with endpoint.signed_in() as client:
        yield client
        switch(client, on=False)


def passwords(client: httpx.Client) -> dict[str, str]:
    """`az acr credential show`."""
    shown = client.post(f"{REGISTRY}/listCredentials").raise_for_status().json()
    assert shown["username"] == "myregistry"
    return {each["name"]: each["value"] for each in shown["passwords"]}


def status_with(endpoint: LiveEndpoint, password: str) -> int:
    """What the registry answers to the admin user with a password."""
    return httpx.get(f"{endpoint.gateway.registry.url}/v2/", auth=("myregistry", password)).status_code


def test_both_passwords_sign_in_while_it_is_on(endpoint: LiveEndpoint, owner: httpx.Client) -> None:
    """And neither when it is off."""
    assert switch(owner, on=True)
    both = passwords(owner)
    assert [status_with(endpoint, value) for value in both.values()] == [200, 200]
    assert not switch(owner, on=False)
    assert [status_with(endpoint, value) for value in both.values()] == [401, 401]


def test_one_is_renewed(endpoint: LiveEndpoint, owner: httpx.Client) -> None:
    """The other stays (`az acr credential renew`)."""
    switch(owner, on=True)
    before = passwords(owner)
    owner.post(f"{REGISTRY}/regenerateCredential", json={"name": "password"}).raise_for_status()
    after = passwords(owner)
    assert before["password2"] == after["password2"]
    assert (status_with(endpoint, before["password"]), status_with(endpoint, after["password"])) == (401, 200)


def test_while_it_is_off_nothing_is_shown(owner: httpx.Client) -> None:
    """Nor renewed."""
    assert code_of(owner.post(f"{REGISTRY}/listCredentials"))[0] == 400
    assert code_of(owner.post(f"{REGISTRY}/regenerateCredential", json={"name": "password"}))[0] == 400


@pytest.mark.parametrize("body", [{}, {"name": "password3"}, {"name": 1}])
def test_another_password_is_not_renewed(owner: httpx.Client, body: dict[str, object]) -> None:
    """There are two."""
    switch(owner, on=True)
    assert code_of(owner.post(f"{REGISTRY}/regenerateCredential", json=body))[0] == 400


@pytest.mark.parametrize("what", ["listCredentials", "regenerateCredential"])
def test_only_an_owner_sees_them(endpoint: LiveEndpoint, what: str) -> None:
    """A reader is refused."""
    with endpoint.signed_in("reader") as client:
        assert code_of(client.post(f"{REGISTRY}/{what}", json={})) == (403, "AuthorizationFailed")

"""Which names mean this registry."""

import pytest

from policy.gateway.hosts import is_ours


@pytest.mark.parametrize(
    ("host", "asked_under"),
    [
        ("127.0.0.1:5000", "127.0.0.1:5000"),
        ("localhost:5000", "127.0.0.1:5000"),
        ("[::1]:5000", "localhost:5000"),
        ("registry.example", "Registry.example"),
        ("myregistry.azurecr.io", "127.0.0.1:5000"),
        ("myregistry.azurecr.io:443", "127.0.0.1:5000"),
        ("myregistry.azurecr.io.", "127.0.0.1:5000"),
        ("MYREGISTRY.azurecr.io.:443", "127.0.0.1:5000"),
        ("registry.example", "registry.example:443"),
    ],
)
def test_ours(host: str, asked_under: str) -> None:
    """The name the request came in under, loopback names with its port, and names from the settings."""
    assert is_ours(host, asked_under, ("MyRegistry.azurecr.io",))


@pytest.mark.parametrize(
    ("host", "asked_under"),
    [
        ("", "127.0.0.1:5000"),
        ("localhost:5001", "127.0.0.1:5000"),
        ("localhost", "127.0.0.1:5000"),
        ("localhost:5000", "registry.example:5000"),
        ("mcr.microsoft.com", "127.0.0.1:5000"),
        ("127.0.0.1.example:5000", "127.0.0.1:5000"),
        ("registry.example:5000", "registry.example"),
    ],
)
def test_not_ours(host: str, asked_under: str) -> None:
    """Another port, another machine, Docker Hub."""
    assert not is_ours(host, asked_under, ())

"""The challenge, letter by letter."""

import pytest

from registry.auth.actions import Action
from registry.auth.challenge import challenger
from registry.auth.scopes import CATALOG_SCOPE, repository_scope
from registry.config.settings import RegistrySettings
from tests.registry.auth.people import APP, request

PULL = repository_scope(APP, [Action.PULL])


def challenge(host: str = "registry.example:5000", document: dict[str, object] | None = None) -> str:
    """The challenge without a scope."""
    settings = RegistrySettings.model_validate(document or {})
    return challenger(request(host=host), settings).challenge()


def test_form_is_what_azure_clients_can_split() -> None:
    """Capital-B Bearer, quotes, and no space after commas: a space crashes az and the SDK."""
    built = challenger(request(), RegistrySettings()).challenge([PULL], "insufficient_scope")
    assert built == (
        'Bearer realm="https://registry.example:5000/oauth2/token",service="registry.example:5000",'
        'scope="repository:team/app:pull",error="insufficient_scope"'
    )


def test_several_scopes_share_one_value() -> None:
    """Separated by one space, as the grammar has it."""
    built = challenger(request(), RegistrySettings()).challenge([PULL, CATALOG_SCOPE])
    assert built.endswith('scope="repository:team/app:pull registry:catalog:*"')


def test_configured_url_wins() -> None:
    """Behind a proxy that tells nothing, a setting says where the clients find us."""
    built = challenge(document={"server": {"public_url": "https://reg.example/"}, "auth": {"service": "reg"}})
    assert built == 'Bearer realm="https://reg.example/oauth2/token",service="reg"'


@pytest.mark.parametrize("host", ['evil",error="x', "a b", "é.example", "a,b", "user@host", "host/path", ""])
def test_forged_host_does_not_leave_the_quotes(host: str) -> None:
    """A Host header that is none is not repeated; the socket's own address stands in."""
    assert challenge(host) == 'Bearer realm="https://127.0.0.1:5000/oauth2/token",service="127.0.0.1:5000"'


def test_ipv6_host_is_kept() -> None:
    """Brackets belong to the address."""
    assert 'realm="https://[::1]:5000/oauth2/token"' in challenge("[::1]:5000")


def test_a_description_is_a_quoted_string_without_commas() -> None:
    """RFC 6750 section 3: printable ASCII without quote and backslash; Azure's clients split at commas."""
    built = challenger(request(), RegistrySettings()).challenge([], "insufficient_scope", 'bound to a, b "\\ü')
    assert built.endswith(',error_description="bound to a; b ",error="insufficient_scope"')

"""The Basic challenge, for clients that know no tokens."""

from registry.auth.challenge import Challenger
from registry.auth.scopes import CATALOG_SCOPE


def test_a_basic_challenge_names_only_its_realm() -> None:
    """RFC 7617: a quoted realm; scopes and token errors have no place in it."""
    challenger = Challenger("http://127.0.0.1:5000", "127.0.0.1:5000", basic=True)
    assert challenger.challenge([CATALOG_SCOPE], "invalid_token") == 'Basic realm="http://127.0.0.1:5000"'

"""Keys of signatures, from what people write as a secret."""

import base64

import pytest

from registry.notifications.signature import key_of


@pytest.mark.parametrize("secret", ["plain", "whsec_%%%", "whsec_é"])
def test_what_is_no_base64_is_the_key_itself(secret: str) -> None:
    """Whatever its letters are."""
    assert key_of(secret) == secret.encode()


def test_base64_behind_the_prefix_is_read() -> None:
    """As Standard Webhooks write it."""
    assert key_of("whsec_" + base64.b64encode(b"key").decode()) == b"key"

"""Digests: grammar, algorithms, equality with their text."""

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry.oci.digest import Digest, new_hasher
from registry.oci.errors import DigestInvalid

HEX256 = "a" * 64


@pytest.mark.parametrize(
    "text",
    [
        "",
        "sha256",
        "sha256:",
        f"sha256:{'A' * 64}",
        f"sha256:{HEX256}0",
        f"sha256:{HEX256[1:]}",
        f"sha256:{HEX256}\n",
        f"SHA256:{HEX256}",
        f"sha256 :{HEX256}",
        "sha256:totallywrong",
        f"md5:{'a' * 32}",
        f"sha384:{'a' * 96}",
        f"sha512:{HEX256}",
        "sha256:" + "\uff11" * 64,
        "a" * 10_000,
    ],
)
def test_text_that_is_no_supported_digest_is_refused(text: str) -> None:
    """Grammar, algorithm, length and case are all checked, on a bounded length."""
    with pytest.raises(DigestInvalid):
        Digest.parse(text)


@given(st.binary(max_size=200), st.sampled_from(["sha256", "sha512"]))
def test_the_digest_of_bytes_parses_back(content: bytes, algorithm: str) -> None:
    """What `of` computes is what `parse` accepts, and hashlib agrees."""
    digest = Digest.of(content, algorithm)
    assert Digest.parse(str(digest)) == digest
    assert digest.encoded == hashlib.new(algorithm, content).hexdigest()


def test_a_digest_knows_its_parts() -> None:
    """Algorithm and encoded part stand left and right of the colon."""
    digest = Digest.parse(f"sha256:{HEX256}")
    assert (digest.algorithm, digest.encoded) == ("sha256", HEX256)


def test_an_unsupported_algorithm_has_no_hasher() -> None:
    """hashlib knows md5, the registry does not."""
    with pytest.raises(DigestInvalid, match="use sha256 or sha512"):
        new_hasher("md5")


@given(st.text(max_size=80))
def test_any_text_parses_or_is_refused(text: str) -> None:
    """Nothing but DigestInvalid ever comes out of bad text."""
    try:
        assert Digest.parse(text) == text
    except DigestInvalid as error:
        assert error.code == "DIGEST_INVALID"

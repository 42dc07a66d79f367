"""Image references: what is read, what is refused, and what each part means."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry.oci.errors import DigestInvalid, NameInvalid, OciError, TagInvalid
from registry.oci.image_reference import ImageReference, is_loopback, split_port

DIGEST = "sha256:" + "a" * 64


@pytest.mark.parametrize(
    ("text", "host", "repository", "reference"),
    [
        ("127.0.0.1:5000/team/app:v1", "127.0.0.1:5000", "team/app", "v1"),
        ("myregistry.azurecr.io/myimage", "myregistry.azurecr.io", "myimage", "latest"),
        ("localhost/app:v1", "localhost", "app", "v1"),
        ("[::1]:5000/app:v1", "[::1]:5000", "app", "v1"),
        ("team/app:v1", "", "team/app", "v1"),
        ("ubuntu:16.04", "", "ubuntu", "16.04"),
        (f"localhost:5000/app@{DIGEST}", "localhost:5000", "app", DIGEST),
        (f"localhost:5000/app:v1@{DIGEST}", "localhost:5000", "app", DIGEST),
        ("MyRegistry.azurecr.io/app:V1", "myregistry.azurecr.io", "app", "V1"),
    ],
)
def test_parts(text: str, host: str, repository: str, reference: str) -> None:
    """A reference falls into registry, repository, and tag or digest, as docker reads it."""
    found = ImageReference.parse(text)
    assert (found.host, found.repository, found.reference) == (host, repository, reference)


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("", NameInvalid),
        ("http://localhost:5000/app:v1", NameInvalid),
        ("localhost:5000/", NameInvalid),
        ("localhost:5000/Team/app", NameInvalid),
        ("localhost:5000/app:", TagInvalid),
        ("localhost:5000/app:bad tag", TagInvalid),
        ("localhost:5000/app@sha256:abc", DigestInvalid),
        ("localhost:5000/app@", DigestInvalid),
        ("a" * 2000, NameInvalid),
    ],
)
def test_refused(text: str, error: type[OciError]) -> None:
    """What docker could not pull is refused with the error of the part that is wrong."""
    with pytest.raises(error):
        ImageReference.parse(text)


@pytest.mark.parametrize("text", ["localhost:5000/a/b:v1", f"h.example/a@{DIGEST}", f"h.example/a:v1@{DIGEST}"])
def test_text_round_trip(text: str) -> None:
    """A reference prints as it was written."""
    assert str(ImageReference.parse(text)) == text


def test_latest_is_written_out() -> None:
    """An image without tag and digest prints with the tag that it means."""
    assert str(ImageReference.parse("h.example/a")) == "h.example/a:latest"


@given(st.text(max_size=80))
def test_any_text_is_read_or_refused(text: str) -> None:
    """No text makes the parser fail in another way than with an error of the table."""
    try:
        ImageReference.parse(text)
    except OciError as error:
        assert error.message


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:80", "127.0.0.1:5000", "127.9.9.9", "[::1]:5000"])
def test_loopback(host: str) -> None:
    """Names and addresses of the machine itself, with and without a port."""
    assert is_loopback(host)


@pytest.mark.parametrize("host", ["127.0.0.1.example.com", "10.0.0.1:5000", "localhost.example", "", "[::2]:1"])
def test_not_loopback(host: str) -> None:
    """A name that merely begins like a loopback address is not one."""
    assert not is_loopback(host)


@pytest.mark.parametrize(("host", "parts"), [("a:1", ("a", "1")), ("[::1]:2", ("::1", "2")), ("a", ("a", ""))])
def test_split_port(host: str, parts: tuple[str, str]) -> None:
    """Host and port come apart, an IPv6 address included."""
    assert split_port(host) == parts


@pytest.mark.parametrize(
    ("text", "repository", "reference"),
    [
        ("team/app", "team/app", "latest"),
        ("team/app:v1", "team/app", "v1"),
        (f"team/app@{DIGEST}", "team/app", DIGEST),
        (f"team/app:v1@{DIGEST}", "team/app", DIGEST),
        ("example.org/app:v1", "example.org/app", "v1"),
        ("localhost/app", "localhost/app", "latest"),
    ],
)
def test_within_one_registry(text: str, repository: str, reference: str) -> None:
    """Nothing of the text is a registry's name."""
    found = ImageReference.parse_local(text)
    assert (found.host, found.repository, found.reference) == ("", repository, reference)


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("", NameInvalid),
        ("Team/app", NameInvalid),
        ("localhost:5000/team/app:v1", TagInvalid),
        ("team/app:", TagInvalid),
        ("team/app@", DigestInvalid),
        ("a" * 2000, NameInvalid),
    ],
)
def test_refused_within_one_registry(text: str, error: type[OciError]) -> None:
    """As everywhere, by the part that is wrong."""
    with pytest.raises(error):
        ImageReference.parse_local(text)

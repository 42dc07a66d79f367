"""What stops a server from starting is one clear line."""

import datetime as dt
import socket
import stat
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from registry.config.access import AuthSettings
from registry.config.settings import RegistrySettings
from registry.server.startup import (
    CannotStart,
    bind,
    cautions,
    certificate_of,
    parse_address,
    prepare_data,
)


@pytest.mark.parametrize(
    ("text", "address"),
    [("127.0.0.1:5000", ("127.0.0.1", 5000)), ("[::1]:0", ("::1", 0)), (":80", ("", 80)), ("hub:1", ("hub", 1))],
)
def test_address(text: str, address: tuple[str, int]) -> None:
    """HOST:PORT, [IPv6]:PORT, and no host for every interface."""
    assert parse_address(text) == address


@pytest.mark.parametrize("text", ["", "5000", "host", "host:", "::1:5000", "a:b", "h:65536", "h:1\n"])
def test_bad_address_is_refused(text: str) -> None:
    """What is neither form says what is needed."""
    with pytest.raises(CannotStart, match="needs HOST:PORT"):
        parse_address(text)


def test_an_open_registry_on_the_network_is_a_warning() -> None:
    """Who may do what, why, and the two ways out."""
    caution = next(iter(cautions(RegistrySettings(listen="0.0.0.0:5000", auth=AuthSettings(required=False)))))
    assert caution.startswith("auth.required is false and listen is 0.0.0.0:5000: whoever reaches this address may")
    assert caution.endswith("set auth.required to true, or listen on 127.0.0.1")


@pytest.mark.parametrize(
    ("listen", "required", "warned"),
    [
        (":5000", False, True),
        ("[::]:5000", False, True),
        ("10.0.0.1:5000", False, True),
        ("hub:5000", False, True),
        ("127.0.0.1:5000", False, False),
        ("127.1.2.3:5000", False, False),
        ("[::1]:5000", False, False),
        ("Localhost:5000", False, False),
        ("0.0.0.0:5000", True, False),
    ],
)
def test_only_an_open_door_to_others_is_a_warning(listen: str, required: bool, warned: bool) -> None:
    """Signing in, or an address that only this machine reaches, is none."""
    settings = RegistrySettings(listen=listen, auth=AuthSettings(required=required))
    assert any("auth.required" in caution for caution in cautions(settings)) is warned


@pytest.mark.parametrize(
    ("listen", "more", "warned"),
    [
        ("0.0.0.0:5000", {}, True),
        ("hub:5000", {"server": {"public_url": "http://hub"}}, True),
        ("127.0.0.1:5000", {}, False),
        ("0.0.0.0:5000", {"server": {"public_url": "https://hub"}}, False),
        ("0.0.0.0:5000", {"tls_cert": "a.pem", "tls_key": "b.pem"}, False),
    ],
)
def test_plain_http_on_the_network_is_a_warning(listen: str, more: dict[str, Any], warned: bool) -> None:
    """Where neither a certificate nor a proxy that speaks HTTPS stands before it."""
    found = list(cautions(RegistrySettings.model_validate({"listen": listen, **more})))
    assert [f"listen is {listen} without tls_cert" in caution for caution in found] == [True] * warned


def test_taken_port_is_one_line() -> None:
    """The address, the reason and the way out."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        listen = f"127.0.0.1:{taken.getsockname()[1]}"
        with pytest.raises(CannotStart, match=r"(?s)\Acannot listen on [^\n]*in use[^\n]*--listen\Z"):
            bind(RegistrySettings(listen=listen))


def test_data_folder_is_made_for_its_owner(tmp_path: Path) -> None:
    """Parents included, closed to others."""
    folder = prepare_data(tmp_path / "a" / "b")
    assert stat.S_IMODE(folder.stat().st_mode) & 0o077 == 0
    assert list(folder.iterdir()) == []


def test_data_folder_that_is_a_file_is_one_line(tmp_path: Path) -> None:
    """The folder, the reason and the way out."""
    (tmp_path / "data").write_text("")
    with pytest.raises(CannotStart, match=r"data folder .* cannot be written: .*--data"):
        prepare_data(tmp_path / "data")


def test_data_folder_that_nobody_may_write_is_one_line() -> None:
    """A folder that may not be written, not even by root, is refused before anything else happens."""
    with pytest.raises(CannotStart, match=r"cannot be written: .*--data"):
        prepare_data(Path("/proc/basegate"))


def test_the_listening_socket_is_known_to_be_tcp() -> None:
    """Asyncio sends small answers at once (TCP_NODELAY) only on sockets whose protocol is named."""
    with bind(RegistrySettings(listen="127.0.0.1:0")) as bound:
        assert bound.proto == socket.IPPROTO_TCP


def _certificate(folder: Path, name: str) -> tuple[Path, Path]:
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    today = dt.datetime.now(dt.UTC)
    signed = (
        x509.CertificateBuilder(subject, subject, key.public_key(), x509.random_serial_number())
        .not_valid_before(today)
        .not_valid_after(today + dt.timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    pem, private = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    (folder / f"{name}.crt").write_bytes(signed.public_bytes(pem))
    (folder / f"{name}.key").write_bytes(key.private_bytes(pem, private, serialization.NoEncryption()))
    return folder / f"{name}.crt", folder / f"{name}.key"


def test_no_certificate_means_plain_http() -> None:
    """TLS is asked for by naming files."""
    assert certificate_of(RegistrySettings()) is None


def test_certificate_needs_its_key(tmp_path: Path) -> None:
    """One file without the other is a mistake, not plain HTTP."""
    with pytest.raises(CannotStart, match="both tls_cert and tls_key"):
        certificate_of(RegistrySettings(tls_cert=tmp_path / "x.crt"))


def test_certificate_of_another_key_is_refused(tmp_path: Path) -> None:
    """The pair must fit."""
    chain, other = _certificate(tmp_path, "a")[0], _certificate(tmp_path, "b")[1]
    with pytest.raises(CannotStart, match="cannot be used"):
        certificate_of(RegistrySettings(tls_cert=chain, tls_key=other))


def test_missing_certificate_is_named(tmp_path: Path) -> None:
    """The line has the file and the system's reason."""
    with pytest.raises(CannotStart, match=r"none\.crt .*No such file"):
        certificate_of(RegistrySettings(tls_cert=tmp_path / "none.crt", tls_key=tmp_path / "none.key"))


def test_a_broken_renewal_keeps_the_old_certificate(tmp_path: Path) -> None:
    """Refused files leave the context that is in use as it was."""
    chain, key = _certificate(tmp_path, "a")
    certificate = certificate_of(RegistrySettings(tls_cert=chain, tls_key=key))
    assert certificate is not None
    context = certificate.context
    chain.write_text("broken")
    with pytest.raises(CannotStart):
        certificate.reload()
    assert certificate.context is context

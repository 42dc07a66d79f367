"""The lab CA and the server certificates it signs."""

import ssl
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import httpx
import pytest
from cryptography import x509

from registry.cli.certificate_authority import Certificates, TlsRefused, default_hosts, make_certificates
from tests.servers import open_registry


def names(made: Certificates) -> set[str]:
    """The names in the server's certificate."""
    certificate = x509.load_pem_x509_certificate(made.certificate.read_bytes())
    alternative = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    addresses = alternative.get_values_for_type(x509.IPAddress)
    return {*alternative.get_values_for_type(x509.DNSName), *map(str, addresses)}


def test_every_certificate_has_the_names_of_this_machine(tmp_path: Path) -> None:
    """Loopback by name and address, and the host's own name."""
    assert names(make_certificates(tmp_path)) == set(default_hosts())
    assert {"localhost", "127.0.0.1", "::1"} <= set(default_hosts())


def test_more_hosts(tmp_path: Path) -> None:
    """Names, wildcards and addresses on top; a name of another script in its ASCII form."""
    made = make_certificates(tmp_path, ["reg.example", "*.lab.example", "192.0.2.7", "2001:db8::1", "bücher.example"])
    assert {"reg.example", "*.lab.example", "192.0.2.7", "2001:db8::1", "xn--bcher-kva.example"} <= names(made)
    assert ip_address("192.0.2.7")


@pytest.mark.parametrize("host", ["", "https://reg.example", "reg.example:5000", "a b", "x" * 300, "a..é"])
def test_what_is_no_host_is_refused(tmp_path: Path, host: str) -> None:
    """A scheme or port is the usual mistake; nothing is made then."""
    with pytest.raises(TlsRefused, match="neither a host name nor an IP address"):
        make_certificates(tmp_path, [host])
    assert list(tmp_path.iterdir()) == []


def test_keys_are_private(tmp_path: Path) -> None:
    """Only the certificates may be read by others."""
    made = make_certificates(tmp_path)
    modes = {path.name: path.stat().st_mode & 0o777 for path in made.ca.parent.iterdir()}
    assert modes == {"ca.crt": 0o644, "ca.key": 0o600, "server.crt": 0o644, "server.key": 0o600}


def test_renewal_keeps_the_authority(tmp_path: Path) -> None:
    """Clients need no new CA; certificate and key of the server are new."""
    first = make_certificates(tmp_path)
    before = {path: path.read_bytes() for path in (first.ca, first.certificate, first.key)}
    second = make_certificates(tmp_path, days=30)
    kept = [path.read_bytes() == content for path, content in before.items()]
    assert (first.renewed, second.renewed, kept) == (False, True, [True, False, False])
    assert second.expires - datetime.now(UTC) < timedelta(days=30)


def test_server_certificate_signs_no_others(tmp_path: Path) -> None:
    """A stolen server key must not be an authority; the authority itself may not make another one."""
    made = make_certificates(tmp_path)
    found = [
        x509.load_pem_x509_certificate(path.read_bytes()).extensions.get_extension_for_class(x509.BasicConstraints)
        for path in (made.certificate, made.ca)
    ]
    assert [(each.critical, each.value.ca, each.value.path_length) for each in found] == [
        (True, False, None),
        (True, True, 0),
    ]


@pytest.mark.parametrize("name", ["ca.crt", "ca.key"])
@pytest.mark.parametrize("content", [b"nonsense", None])
def test_damaged_authority_is_not_replaced(tmp_path: Path, name: str, content: bytes | None) -> None:
    """Clients trust the old one: a new one is made only when both files are removed."""
    made = make_certificates(tmp_path)
    path = made.ca.with_name(name)
    path.unlink() if content is None else path.write_bytes(content)
    with pytest.raises(TlsRefused, match="remove both"):
        make_certificates(tmp_path)


def test_foreign_key_is_noticed(tmp_path: Path) -> None:
    """A certificate signed with it would be trusted by nobody."""
    made, other = make_certificates(tmp_path / "a"), make_certificates(tmp_path / "b")
    made.ca.with_name("ca.key").write_bytes(other.ca.with_name("ca.key").read_bytes())
    with pytest.raises(TlsRefused, match="does not fit"):
        make_certificates(tmp_path / "a")


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_clients_that_know_the_ca_are_served(tmp_path: Path, host: str) -> None:
    """A strict verification (RFC 5280) of a live server, by name and by address."""
    made = make_certificates(tmp_path)
    context = ssl.create_default_context(cafile=str(made.ca))
    context.verify_flags |= ssl.VerifyFlags.VERIFY_X509_STRICT
    with open_registry(tmp_path, tls_cert=made.certificate, tls_key=made.key) as live:
        url = live.url.replace("127.0.0.1", host)
        assert httpx.get(f"{url}/v2/", verify=context).status_code == 200


def test_clients_that_do_not_know_the_ca_refuse(tmp_path: Path) -> None:
    """The certificate is worth something."""
    made = make_certificates(tmp_path)
    with (
        open_registry(tmp_path, tls_cert=made.certificate, tls_key=made.key) as live,
        pytest.raises(httpx.ConnectError, match="CERTIFICATE_VERIFY_FAILED"),
    ):
        httpx.get(f"{live.url}/v2/")


def test_renewal_keeps_the_names(tmp_path: Path) -> None:
    """Whoever reaches the server by one of them still does."""
    make_certificates(tmp_path, ["reg.example", "192.0.2.7"])
    second = make_certificates(tmp_path, ["other.example"])
    assert {"reg.example", "192.0.2.7", "other.example"} <= names(second)
    assert names(second) == set(second.hosts)


def test_names_can_be_dropped(tmp_path: Path) -> None:
    """By removing the certificate first."""
    make_certificates(tmp_path, ["reg.example"]).certificate.unlink()
    assert names(make_certificates(tmp_path)) == set(default_hosts())


def test_a_damaged_certificate_is_not_replaced(tmp_path: Path) -> None:
    """Its names would be lost without a word."""
    made = make_certificates(tmp_path, ["reg.example"])
    made.certificate.write_text("damaged")
    with pytest.raises(TlsRefused, match="cannot be read"):
        make_certificates(tmp_path)
    assert made.certificate.read_text() == "damaged"


def test_only_its_own_folder_is_made(tmp_path: Path) -> None:
    """In a data folder that is made for it; both are their owner's alone."""
    make_certificates(tmp_path / "data")
    assert [path.name for path in (tmp_path / "data").iterdir()] == ["tls"]
    assert [path.stat().st_mode & 0o777 for path in (tmp_path / "data", tmp_path / "data" / "tls")] == [0o700] * 2

"""`basegate tls …`: certificates for a lab, and where each client needs the authority's."""

from collections.abc import Sequence
from pathlib import Path

import click

from registry.cli.certificate_authority import SERVER_DAYS, Certificates, make_certificates
from registry.cli.command_audit import audited
from registry.cli.data_folder import data_option
from registry.cli.output import json_option, print_json
from registry.storage.disk.ownership import act_as_owner


@click.group("tls")
def tls_group() -> None:
    """Certificates for serving over HTTPS."""


@tls_group.command("init")
@click.option("--host", "hosts", multiple=True, metavar="NAME|IP", help="Another name of the server; may be repeated.")
@click.option("--port", type=click.IntRange(1, 65_535), default=5000, show_default=True, help="Port in the examples.")
@click.option("--days", type=click.IntRange(min=1), default=SERVER_DAYS, show_default=True, help="Life in days.")
@data_option
@json_option
@audited("tls.init")
def init(data: Path, hosts: Sequence[str], port: int, days: int, as_json: bool) -> None:  # noqa: FBT001
    """Make a lab CA and a server certificate; run again, renew the certificate and keep the CA.

    A renewed certificate keeps the names it had; to be rid of one, remove tls/server.crt first.
    """
    act_as_owner(data)
    made = make_certificates(data, hosts, days)
    if as_json:
        print_json(_document(made))
    else:
        click.echo(_guide(made, hosts[0] if hosts else "", port))


def _document(made: Certificates) -> dict[str, object]:
    return {
        "ca": str(made.ca),
        "certificate": str(made.certificate),
        "key": str(made.key),
        "hosts": list(made.hosts),
        "expires": made.expires.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "renewed": made.renewed,
    }


def _guide(made: Certificates, host: str, port: int) -> str:
    ca, at = made.ca.resolve(), f"{host or made.hosts[0]}:{port}"
    done = "Renewed the server certificate; the CA is the same as before" if made.renewed else "Made a lab CA"
    return f"""\
{done}: {made.certificate} is good for {", ".join(made.hosts)} until {made.expires:%Y-%m-%d}.

Serve with it:
  basegate serve --data {made.ca.parent.parent} --tls-cert {made.certificate} --tls-key {made.key}

Where each client wants the CA ({ca}):
  docker engine    mkdir -p /etc/docker/certs.d/{at} && cp {ca} /etc/docker/certs.d/{at}/ca.crt
  podman, skopeo, buildah
                   mkdir -p /etc/containers/certs.d/{at} && cp {ca} /etc/containers/certs.d/{at}/ca.crt
  containerd       /etc/containerd/certs.d/{at}/hosts.toml with the two lines
                     [host."https://{at}"]
                       ca = "{ca}"
                   (ctr: ctr images pull --tlscacert {ca} …)
  whole system     cp {ca} /usr/local/share/ca-certificates/basegate.crt && update-ca-certificates
  Python, az       cat "$(python3 -m certifi)" {ca} > bundle.pem && export REQUESTS_CA_BUNDLE=$PWD/bundle.pem
  Go programs (crane, oras, regctl)
                   export SSL_CERT_FILE={ca}
  curl             curl --cacert {ca} https://{at}/v2/
  basegate         basegate check --ca-file {ca} {at}/NAME:TAG"""

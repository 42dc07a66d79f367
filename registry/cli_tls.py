"""`basegate tls …`: certificates for a lab, and where each client wants the authority's."""

import json
from collections.abc import Sequence
from pathlib import Path

import click

from registry.ownership import act_as_owner
from registry.tls import SERVER_DAYS, Certificates, TlsRefused, make_certificates


@click.group("tls")
def tls_group() -> None:
    """Certificates for serving over HTTPS."""


@tls_group.command("init")
@click.option(
    "--data",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("data"),
    envvar="BASEGATE_DATA",
    show_default=True,
    help="Data folder of the registry.",
)
@click.option("--host", "hosts", multiple=True, metavar="NAME|IP", help="Another name of the server; may be repeated.")
@click.option("--port", type=click.IntRange(1, 65_535), default=5000, show_default=True, help="Port in the examples.")
@click.option("--days", type=click.IntRange(min=1), default=SERVER_DAYS, show_default=True, help="Life in days.")
@click.option("--json", "as_json", is_flag=True, help="Answer for programs.")
def init(data: Path, hosts: Sequence[str], port: int, days: int, as_json: bool) -> None:  # noqa: FBT001
    """Make a lab CA and a server certificate; run again, renew the certificate and keep the CA."""
    try:
        act_as_owner(data)
        made = make_certificates(data, hosts, days)
    except (TlsRefused, OSError) as error:
        raise click.ClickException(str(error)) from error
    click.echo(json.dumps(_document(made), indent=2) if as_json else _guide(made, hosts[0] if hosts else "", port))


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
    what = "Renewed the server certificate; the CA is the same as before" if made.renewed else "Made a lab CA"
    return f"""\
{what}: {made.certificate} is good for {", ".join(made.hosts)} until {made.expires:%Y-%m-%d}.

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

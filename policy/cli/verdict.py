"""`basegate verdict`: signed verdicts, the procedure that verifies them, and the key that signs them.

Exit codes of `verify`: 0 it holds, 1 a step fails, 2 could not tell.
"""

import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from policy.attestation.verification import STEPS, Expected, SummaryWrong, verified
from policy.cli.check import asking_of, asking_options
from policy.client.api import CheckNotPossible, ask, send
from policy.signing.dsse import read_envelope
from policy.signing.key_ring import VERDICT_KEY_FILE, KeyRing
from policy.signing.public_keys import KeysUnreadable, read_public_keys
from registry.cli.command_audit import audited
from registry.cli.data_folder import data_option, require_registry
from registry.cli.output import for_programs, print_json
from registry.errors import BasegateError, visible
from registry.oci.digest import Digest
from registry.oci.image_reference import ImageReference

_PATH = click.Path(path_type=Path)
_PEM = {"Accept": "application/x-pem-file"}
_EVERY = 1000


class NothingAttested(BasegateError):
    """There is no signed verdict on the image."""


@click.group("verdict", short_help="Show and verify signed verdicts; their key.")
def verdict_group() -> None:
    """Signed verdicts."""


@verdict_group.command("show")
@click.argument("image")
@click.option("--all", "every", is_flag=True, help="Earlier ones too, the newest first.")
@asking_options
def show_command(image: str, *, every: bool, as_json: bool, **flags: Any) -> None:
    """Show the signed verdict on IMAGE (HOST:PORT/repository:tag)."""
    wanted = ImageReference.parse(image)
    document = _attestations(wanted, _EVERY if every else 1, flags)
    if as_json:
        print_json(document["attestations"] if every else document["attestations"][0])
        return
    for each in document["attestations"]:
        click.echo("\n".join(visible(line) for line in _words(document, each)))


@verdict_group.command("verify")
@click.argument("image")
@click.option("--key", required=True, type=_PATH, help="The public key that you trust: PEM, or a JWK set.")
@click.option("--bundle", type=_PATH, help="Verify this file (a bundle or an envelope) without asking a registry.")
@click.option("--resource-uri", default="", help="What resourceUri has to be; else it has to name this repository.")
@click.option("--verifier", default="", help="What verifier.id has to be; else whoever has the key.")
@click.option("--level", "levels", multiple=True, help="What has to be verified; may be given again.")
@asking_options
def verify_command(  # noqa: PLR0913
    image: str,
    *,
    key: Path,
    bundle: Path | None,
    resource_uri: str,
    verifier: str,
    levels: tuple[str, ...],
    as_json: bool,
    **flags: Any,
) -> None:
    """Verify the signed verdict on IMAGE, by the seven steps of SLSA's page.

    Exit code 0: it holds, 1: a step fails, which is named, 2: could not tell.
    """
    wanted, keys = ImageReference.parse(image), read_public_keys(_bytes(key))
    raw, digest = _from_file(wanted, bundle) if bundle else _from_registry(wanted, flags)
    resource = resource_uri or f"…{wanted.repository}@{digest}"
    try:
        predicate = verified(read_envelope(raw), Expected(keys, digest, resource, verifier, levels))
    except SummaryWrong as error:
        wrong = for_programs({"holds": False, "step": error.step, "why": str(error)})
        click.echo(wrong if as_json else f"wrong: {visible(error)}")
        sys.exit(1)
    click.echo(for_programs({"holds": True, "predicate": predicate}) if as_json else _holds(wanted, predicate))


@verdict_group.group("key", short_help="The key that verdicts are signed with.")
def key_group() -> None:
    """The key that verdicts are signed with."""


@key_group.command("show")
@click.option("--data", type=_PATH, help="Of this data folder, instead of the registry that --gateway names.")
@asking_options
def key_show_command(*, data: Path | None, as_json: bool, **flags: Any) -> None:  # noqa: ARG001
    """Print the public key in PEM, for `cosign --key` and `basegate verdict verify --key`."""
    if data is not None:
        require_registry(data)
        if not (data / VERDICT_KEY_FILE).is_file():
            raise KeysUnreadable(f"{data / VERDICT_KEY_FILE} is not there: this registry has signed no verdict")
        click.echo(KeyRing(data, VERDICT_KEY_FILE).pem().decode(), nl=False)
        return
    connection = asking_of(**flags).connection_to_gateway()
    response = send(connection, None, "GET", "/policy/v1/keys", headers=_PEM)
    read_public_keys(response.content)
    click.echo(response.text, nl=False)


@key_group.command("rotate")
@data_option
@audited("verdict.key.rotate")
def key_rotate_command(data: Path) -> None:
    """Sign with a new key from now on, also in a running server; prints the new public key.

    What is published is signed anew. Earlier verdicts keep their key, which stays at /policy/v1/keys.
    """
    require_registry(data)
    ring = KeyRing(data, VERDICT_KEY_FILE)
    ring.rotate()
    click.echo(ring.pem().decode(), nl=False)


def _attestations(image: ImageReference, count: int, flags: Mapping[str, Any]) -> dict[str, Any]:
    path = f"/policy/v1/repositories/{image.repository}/manifests/{image.reference}/attestations?n={count}"
    document = ask(asking_of(**flags).connection(image), "GET", path)
    if not document.get("attestations"):
        raise NothingAttested(f"there is no signed verdict on {image}: it is no image, or still being inspected")
    return document


def _from_registry(image: ImageReference, flags: Mapping[str, Any]) -> tuple[bytes, Digest]:
    document = _attestations(image, 1, flags)
    digest = Digest.parse(str(document.get("digest")))
    if isinstance(image.reference, Digest) and image.reference != digest:
        raise CheckNotPossible(f"the registry answered about {digest}, asked was {image.reference}")
    return json.dumps(document["attestations"][0]["bundle"]).encode(), digest


def _from_file(image: ImageReference, file: Path) -> tuple[bytes, Digest]:
    if not isinstance(image.reference, Digest):
        raise click.UsageError(f"{image} is a tag, which a file knows nothing of: name the image by its digest")
    return _bytes(file), image.reference


def _bytes(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise KeysUnreadable(f"{file} cannot be read: {error.strerror}") from None


def _words(document: Mapping[str, Any], each: Mapping[str, Any]) -> Sequence[str]:
    predicate = each["predicate"]
    published = "" if each["published"] else ", not published any more"
    return (
        f"{predicate['verificationResult']}  {document['repository']}@{document['digest']}{published}",
        f"  levels  {', '.join(predicate['verifiedLevels'])}",
        f"  policy  {predicate['policy']['uri']}",
        f"  made    {predicate['timeVerified']} by {predicate['verifier']['id']}",
        f"  key     {each['keyid']}",
    )


def _holds(image: ImageReference, predicate: Mapping[str, Any]) -> str:
    lines = (
        f"holds: {image} has {predicate['verificationResult']}, {', '.join(predicate['verifiedLevels'])}",
        *(f"  step {number} of {len(STEPS)}, {step}: right" for number, step in enumerate(STEPS, 1)),
        f"  made {predicate.get('timeVerified')} by {predicate['verifier']['id']}",
    )
    return "\n".join(visible(line) for line in lines)

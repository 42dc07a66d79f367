"""What a verifier fetches: the published forms of a signed verdict, over HTTP."""

import base64
import json
from typing import Any

import httpx

from policy.attestation.forms import ENVELOPE_TYPE
from policy.attestation.types import BUNDLE_TYPE

REPOSITORY = "team/app"


def tag_of(digest: str) -> str:
    """The tag of cosign 2 for the attestations of an image."""
    return f"{digest.replace(':', '-')}.att"


def get(client: httpx.Client, path: str) -> bytes:
    """The bytes below a repository, which have the digest that they are asked by."""
    answer = client.get(f"/v2/{REPOSITORY}/{path}")
    answer.raise_for_status()
    return answer.content


def referrers(client: httpx.Client, digest: str) -> list[dict[str, Any]]:
    """The entries of the list of referrers that are bundles."""
    entries = json.loads(get(client, f"referrers/{digest}"))["manifests"]
    return [entry for entry in entries if entry.get("artifactType") == BUNDLE_TYPE]


def bundle(client: httpx.Client, digest: str) -> dict[str, Any]:
    """The only bundle that refers to an image."""
    (entry,) = referrers(client, digest)
    manifest = json.loads(get(client, f"manifests/{entry['digest']}"))
    assert manifest["subject"]["digest"] == digest
    (layer,) = manifest["layers"]
    document: dict[str, Any] = json.loads(get(client, f"blobs/{layer['digest']}"))
    return document


def envelopes(client: httpx.Client, digest: str) -> list[dict[str, Any]]:
    """The envelopes under the tag."""
    layers = json.loads(get(client, f"manifests/{tag_of(digest)}"))["layers"]
    assert {layer["mediaType"] for layer in layers} == {ENVELOPE_TYPE}
    return [json.loads(get(client, f"blobs/{layer['digest']}")) for layer in layers]


def statement(envelope: dict[str, Any]) -> dict[str, Any]:
    """What an envelope says; its signature is not looked at."""
    document: dict[str, Any] = json.loads(base64.b64decode(envelope["payload"]))
    return document


def result(client: httpx.Client, digest: str) -> str:
    """PASSED or FAILED; both forms say the same."""
    said = [statement(bundle(client, digest)["dsseEnvelope"]), *map(statement, envelopes(client, digest))]
    (word,) = {each["predicate"]["verificationResult"] for each in said}
    return str(word)

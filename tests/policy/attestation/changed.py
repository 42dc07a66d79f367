"""Verdicts with changed bytes, and how whoever may push puts an envelope beside an image, in either form."""

import base64
from typing import Any

from policy.attestation.forms import ENVELOPE_TYPE
from policy.attestation.types import BUNDLE_TYPE, PREDICATE_TYPE
from registry.oci import media_types
from registry.oci.canonical_json import canonical_json
from registry.oci.digest import Digest
from tests.policy.attestation.published import tag_of
from tests.repository import EMPTY_JSON, Pushed, Repository

Envelope = dict[str, Any]


def swapped(text: str) -> str:
    """Base64 with another letter in the middle."""
    middle = len(text) // 2
    return f"{text[:middle]}{'A' if text[middle] != 'A' else 'B'}{text[middle + 1 :]}"


def of_payload(made: Envelope) -> Envelope:
    """An envelope whose payload has a changed byte."""
    return {**made, "payload": swapped(made["payload"])}


def of_signature(made: Envelope) -> Envelope:
    """An envelope whose signature has a changed byte."""
    (signature,) = made["signatures"]
    return {**made, "signatures": [{**signature, "sig": swapped(signature["sig"])}]}


def passed(made: Envelope) -> Envelope:
    """An envelope of a refusal that says the opposite, in as many bytes; its signature is the old one."""
    payload = base64.b64decode(made["payload"])
    changed = payload.replace(b'"verificationResult":"FAILED"', b'"verificationResult":"PASSED"')
    changed = changed.replace(b'["FAILED"]', b'["BASEGATE_AZUREML_2019_07"]')
    assert changed.count(b"FAILED") < payload.count(b"FAILED")
    return {**made, "payload": base64.b64encode(changed).decode()}


def refer(there: Repository, subject: str, about: Envelope, hint: str = "") -> None:
    """Push a bundle of an envelope that refers to an image."""
    raw = there.get(f"manifests/{subject}").content
    bundle = {"mediaType": BUNDLE_TYPE, "verificationMaterial": {"publicKey": {"hint": hint}}, "dsseEnvelope": about}
    manifest = {
        "schemaVersion": 2,
        "mediaType": media_types.OCI_MANIFEST,
        "artifactType": BUNDLE_TYPE,
        "config": there.blob(EMPTY_JSON, media_types.OCI_EMPTY).descriptor,
        "layers": [there.blob(canonical_json(bundle), BUNDLE_TYPE).descriptor],
        "subject": Pushed(Digest(subject), raw, media_types.OCI_MANIFEST).descriptor,
    }
    assert there.put("bundle", manifest).status_code == 201


def tagged(there: Repository, subject: str, about: Envelope) -> None:
    """Push an envelope under the tag of the attestations of an image."""
    notes = {"dev.cosignproject.cosign/signature": "", "predicateType": PREDICATE_TYPE}
    layer = there.blob(canonical_json(about), ENVELOPE_TYPE).descriptor
    there.image(tag_of(subject), layers=[{**layer, "annotations": notes}])

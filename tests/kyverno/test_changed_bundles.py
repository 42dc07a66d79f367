"""A bundle with one changed byte, or of another image, convinces Kyverno of nothing; as it was made, it does."""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from policy.attestation.settings import AttestSettings
from policy.attestation.summary import predicate_of, statement_of
from policy.attestation.types import BUNDLE_TYPE
from policy.enforcement.conclusion import Conclusion
from policy.signing.public_keys import public_pem
from policy.state import State
from registry.oci import media_types
from registry.oci.canonical_json import canonical_json
from registry.oci.digest import Digest
from registry.oci.names import RepositoryName
from tests.clients.trees import cleared_image
from tests.kyverno.kyverno import Kyverno
from tests.policy.attestation.signed import KEY, POLICY, VERIFIER, envelope
from tests.policy.live import LiveGateway, live_gateway
from tests.repository import EMPTY_JSON, Pushed, Repository

REPOSITORY = RepositoryName("team/app")
Envelope = dict[str, Any]


@pytest.fixture
def silent(tmp_path: Path) -> Iterator[LiveGateway]:
    """A server that publishes no verdicts of its own."""
    with live_gateway(tmp_path / "silent", attest={"referrer": "off", "tag": "off"}) as gateway:
        yield gateway


def signed(digest: Digest) -> Envelope:
    """That an image has passed, signed by `KEY`."""
    conclusion = Conclusion(State.CLEARED, "azureml-2019-07", POLICY, ())
    predicate = predicate_of(REPOSITORY, digest, conclusion, AttestSettings(), VERIFIER)
    assert predicate is not None
    document: Envelope = envelope(statement_of(digest, predicate, 1_800_000_000.0)).document()
    return document


def refer(live: LiveGateway, subject: str, about: Envelope) -> None:
    """Push a bundle of an envelope that refers to an image."""
    material = {"publicKey": {"hint": KEY.kid}}
    with live.client("admin") as client:
        there = Repository(client, REPOSITORY)
        raw = there.get(f"manifests/{subject}").content
        bundle = {"mediaType": BUNDLE_TYPE, "verificationMaterial": material, "dsseEnvelope": about}
        manifest = {
            "schemaVersion": 2,
            "mediaType": media_types.OCI_MANIFEST,
            "artifactType": BUNDLE_TYPE,
            "config": there.blob(EMPTY_JSON, media_types.OCI_EMPTY).descriptor,
            "layers": [there.blob(canonical_json(bundle), BUNDLE_TYPE).descriptor],
            "subject": Pushed(Digest(subject), raw, media_types.OCI_MANIFEST).descriptor,
        }
        assert there.put("bundle", manifest).status_code == 201


def answered(live: LiveGateway, home: Path, about: Callable[[Digest], Envelope]) -> str:
    """What Kyverno says of an image beside which a bundle was pushed, for whoever has `KEY`."""
    digest = live.push(home.parent / "image", f"{REPOSITORY}:v1", cleared_image())
    refer(live, digest, about(Digest(digest)))
    kyverno = Kyverno(home, live)
    (home / "cosign.pub").write_bytes(public_pem(KEY.private.public_key()))
    kyverno.fill()
    return kyverno.answer(f"{REPOSITORY}:v1")


def swapped(text: str) -> str:
    """Base64 with another letter in the middle."""
    middle = len(text) // 2
    return f"{text[:middle]}{'A' if text[middle] != 'A' else 'B'}{text[middle + 1 :]}"


def of_signature(made: Envelope) -> Envelope:
    """An envelope whose signature has a changed byte."""
    (signature,) = made["signatures"]
    return {**made, "signatures": [{**signature, "sig": swapped(signature["sig"])}]}


ABOUT: Mapping[str, tuple[Callable[[Digest], Envelope], str]] = {
    "as it was made": (signed, "pass"),
    "payload": (lambda digest: {**signed(digest), "payload": swapped(signed(digest)["payload"])}, "fail"),
    "signature": (lambda digest: of_signature(signed(digest)), "fail"),
    "subject": (lambda digest: signed(Digest.of(digest.encode())), "fail"),
}


@pytest.mark.parametrize("changed", ABOUT)
def test_only_what_was_signed_counts(silent: LiveGateway, tmp_path: Path, changed: str) -> None:
    """Payload and signature of the same length, and a bundle of another image."""
    about, answer = ABOUT[changed]
    assert answered(silent, tmp_path / "home", about) == answer

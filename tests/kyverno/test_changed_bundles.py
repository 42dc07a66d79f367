"""A bundle with one changed byte, or of another image, convinces Kyverno of nothing; as it was made, it does."""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

from policy.attestation.settings import AttestSettings
from policy.attestation.summary import predicate_of, statement_of
from policy.enforcement.conclusion import Conclusion
from policy.signing.public_keys import public_pem
from policy.state import State
from registry.oci.digest import Digest
from registry.oci.names import RepositoryName
from tests.clients.trees import cleared_image
from tests.kyverno.kyverno import Kyverno
from tests.policy.attestation.changed import Envelope, of_payload, of_signature, refer
from tests.policy.attestation.signed import KEY, POLICY, VERIFIER, envelope
from tests.policy.live import LiveGateway, live_gateway
from tests.repository import Repository

REPOSITORY = RepositoryName("team/app")


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


def answered(live: LiveGateway, home: Path, about: Callable[[Digest], Envelope]) -> str:
    """What Kyverno says of an image beside which a bundle was pushed, for whoever has `KEY`."""
    digest = live.push(home.parent / "image", f"{REPOSITORY}:v1", cleared_image())
    with live.client("admin") as client:
        refer(Repository(client, REPOSITORY), digest, about(Digest(digest)), KEY.kid)
    kyverno = Kyverno(home, live)
    (home / "cosign.pub").write_bytes(public_pem(KEY.private.public_key()))
    kyverno.fill()
    return kyverno.answer(f"{REPOSITORY}:v1")


ABOUT: Mapping[str, tuple[Callable[[Digest], Envelope], str]] = {
    "as it was made": (signed, "pass"),
    "payload": (lambda digest: of_payload(signed(digest)), "fail"),
    "signature": (lambda digest: of_signature(signed(digest)), "fail"),
    "subject": (lambda digest: signed(Digest.of(digest.encode())), "fail"),
}


@pytest.mark.parametrize("changed", ABOUT)
def test_only_what_was_signed_counts(silent: LiveGateway, tmp_path: Path, changed: str) -> None:
    """Payload and signature of the same length, and a bundle of another image."""
    about, answer = ABOUT[changed]
    assert answered(silent, tmp_path / "home", about) == answer

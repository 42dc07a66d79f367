"""Signed verdicts made without a server: for those who verify them."""

from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key

from policy.attestation.settings import AttestSettings
from policy.attestation.summary import predicate_of, statement_of
from policy.attestation.types import PAYLOAD_TYPE
from policy.attestation.verification import Expected
from policy.enforcement.conclusion import Conclusion
from policy.signing.dsse import Envelope, sign
from policy.state import State
from registry.auth.signing_key import SigningKey, kid_of
from registry.oci.digest import Digest
from registry.oci.names import RepositoryName

REPOSITORY = RepositoryName("team/app")
DIGEST = Digest.of(b"an image")
POLICY = str(Digest.of(b"a policy"))
VERIFIER = "https://registry.example.com/verdicts"


def new_key() -> SigningKey:
    """A key."""
    private = generate_private_key(SECP256R1())
    return SigningKey(private, kid_of(private.public_key()))


KEY = new_key()


def statement(state: State = State.CLEARED, *exemptions: str) -> bytes:
    """What is said of the image."""
    conclusion = Conclusion(state, "azureml-2019-07", POLICY, exemptions)
    predicate = predicate_of(REPOSITORY, DIGEST, conclusion, AttestSettings(), VERIFIER)
    assert predicate is not None
    return statement_of(DIGEST, predicate, 1_800_000_000.0)


def envelope(payload: bytes | None = None, payload_type: str = PAYLOAD_TYPE) -> Envelope:
    """It in an envelope, signed by `KEY`."""
    payload = statement() if payload is None else payload
    return Envelope(payload_type, payload, [("", sign(KEY, payload_type, payload))])


def expected(**members: object) -> Expected:
    """What it is compared with: the image, and `KEY`."""
    keys = {KEY.kid: KEY.private.public_key()}
    values = {"keys": keys, "digest": DIGEST, "resource": f"oci:{REPOSITORY}@{DIGEST}", "verifier": VERIFIER, **members}
    return Expected(**values)  # type: ignore[arg-type]

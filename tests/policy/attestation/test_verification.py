"""The procedure of SLSA's page: what passes, and which step fails."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from policy.attestation.verification import STEPS, SummaryWrong, verified
from policy.state import State
from registry.oci.digest import Digest
from tests.policy.attestation.signed import DIGEST, envelope, expected, new_key, statement

LEVEL = "BASEGATE_AZUREML_2019_07"
OTHER = Digest.of(b"another image")
Change = Callable[[dict[str, Any]], object]


def changed(change: Change) -> bytes:
    """A statement that is otherwise, to be signed by the right key."""
    document = json.loads(statement())
    change(document)
    return json.dumps(document).encode()


def in_predicate(**members: Any) -> Change:
    """Other members of the predicate."""
    return lambda document: document["predicate"].update(members)


WRONG: list[tuple[str, Change]] = [
    ("subject", lambda document: document.update(subject=[])),
    ("subject", lambda document: document.update(subject=[{"digest": {"sha256": OTHER.encoded}}])),
    ("subject", lambda document: document.update(subject=[{"digest": {"sha512": DIGEST.encoded}}])),
    ("subject", lambda document: document.update(_type="https://in-toto.io/Statement/v0.1")),
    ("predicate type", lambda document: document.update(predicateType="https://slsa.dev/provenance/v1")),
    ("predicate type", lambda document: document.update(predicate=[])),
    ("verifier", in_predicate(verifier={"id": "https://another.example.com"})),
    ("verifier", in_predicate(verifier=None)),
    ("resource", in_predicate(resourceUri="oci:team/other")),
    ("resource", in_predicate(resourceUri=None)),
    ("result", in_predicate(verificationResult="FAILED")),
    ("result", in_predicate(verificationResult="passed")),
    ("levels", in_predicate(verifiedLevels=[])),
    ("levels", in_predicate(verifiedLevels=["FAILED"])),
    ("levels", in_predicate(verifiedLevels="FAILED")),
    ("levels", in_predicate(verifiedLevels=["SLSA_BUILD_LEVEL_3"])),
]


def test_a_verdict_that_passed_holds() -> None:
    """All seven steps."""
    assert verified(envelope(), expected(levels=[LEVEL]))["verificationResult"] == "PASSED"
    assert len(STEPS) == 7


@pytest.mark.parametrize(("step", "change"), WRONG)
def test_the_step_that_fails_is_named(step: str, change: Change) -> None:
    """The right key has signed it, and it says something else."""
    with pytest.raises(SummaryWrong) as raised:
        verified(envelope(changed(change)), expected(levels=[LEVEL]))
    assert raised.value.step == step
    assert str(raised.value).startswith(f"step {STEPS.index(step) + 1} of 7, {step}: ")


def test_another_key_fails_the_first_step() -> None:
    """Whatever is said."""
    other = new_key()
    with pytest.raises(SummaryWrong) as raised:
        verified(envelope(), expected(keys={other.kid: other.private.public_key()}))
    assert raised.value.step == "signature"


@pytest.mark.parametrize("state", [State.REFUSED, State.INCONCLUSIVE])
def test_what_is_not_cleared_fails(state: State) -> None:
    """Its signature is as good as any."""
    with pytest.raises(SummaryWrong) as raised:
        verified(envelope(statement(state)), expected())
    assert raised.value.step == "result"


def test_an_exempted_image_has_a_level_of_its_own() -> None:
    """Who asks for the policy's own level does not get it."""
    exempted = envelope(statement(State.REFUSED, "until then, by ops"))
    assert verified(exempted, expected())["verifiedLevels"] == [f"{LEVEL}_EXEMPTED"]
    with pytest.raises(SummaryWrong) as raised:
        verified(exempted, expected(levels=[LEVEL]))
    assert raised.value.step == "levels"


def test_another_payload_type_is_no_statement() -> None:
    """Signed as something else."""
    with pytest.raises(SummaryWrong) as raised:
        verified(envelope(payload_type="text/plain"), expected())
    assert raised.value.step == "subject"


@pytest.mark.parametrize(
    ("resource", "holds"),
    [(f"…team/app@{DIGEST}", True), (f"…app@{DIGEST}", False), (f"…team/app@{OTHER}", False), ("oci:team/app", False)],
)
def test_a_resource_may_be_named_by_its_end(resource: str, holds: bool) -> None:
    """A whole repository, not a part of its name."""
    try:
        verified(envelope(), expected(resource=resource))
    except SummaryWrong as error:
        assert (error.step, holds) == ("resource", False)
    else:
        assert holds

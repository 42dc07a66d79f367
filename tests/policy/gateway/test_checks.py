"""What a standing means for a deployment."""

from policy.assessment.verdict import Verdict
from policy.enforcement.reference_gate import Assessment
from policy.gateway.checks import answer_of
from policy.state import State
from registry.gate import ALLOWED, Decision
from registry.oci.digest import Digest

DIGEST = Digest.of(b"manifest")
POLICY = {"name": "azureml-2019-07", "digest": "sha256:p"}
NOTHING = {"os": None, "conda": None, "python": None, "base_python": None}
DENIED = Decision(allowed=False, message="a:v1 is not cleared by policy azureml-2019-07: still being inspected")


def verdict(state: State) -> Verdict:
    """A verdict without findings."""
    return Verdict(state, DIGEST, POLICY["name"], POLICY["digest"], NOTHING, ())


def test_pending() -> None:
    """Without a verdict nothing is cleared, and the gate's reason is the finding."""
    answer = answer_of("h:1/a:v1", DIGEST, Assessment(None, DENIED, POLICY))
    assert (answer.allowed, answer.verdict, answer.policy) == (False, "pending", POLICY)
    assert answer.findings[0]["message"] == DENIED.message


def test_pending_where_nothing_is_withheld() -> None:
    """In a mode that only warns the door stays open, and the answer says that nothing is known yet."""
    warned = Decision(allowed=True, warnings=("still being inspected",))
    answer = answer_of("h:1/a:v1", DIGEST, Assessment(None, warned, POLICY))
    assert (answer.allowed, answer.verdict, answer.findings[0]["result"]) == (True, "pending", "warn")


def test_exempted() -> None:
    """A refused image that is let through says why."""
    warned = Decision(allowed=True, warnings=("exempted by ann until 2030-01-01",))
    answer = answer_of("h:1/a:v1", DIGEST, Assessment(verdict(State.REFUSED), warned, POLICY))
    assert (answer.allowed, answer.verdict) == (True, "refused")
    assert (answer.findings[0]["rule"], answer.findings[0]["result"]) == ("gate", "warn")


def test_cleared() -> None:
    """A cleared image needs no further words."""
    answer = answer_of("h:1/a:v1", DIGEST, Assessment(verdict(State.CLEARED), ALLOWED, POLICY))
    assert (answer.allowed, answer.findings) == (True, ())


def test_refused() -> None:
    """A refused image is explained by its findings alone."""
    answer = answer_of("h:1/a:v1", DIGEST, Assessment(verdict(State.REFUSED), DENIED, POLICY))
    assert (answer.allowed, answer.findings) == (False, ())

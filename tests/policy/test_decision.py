"""The one decision: every combination of door, state, mode and role has the outcome that the design names."""

from itertools import product

import pytest

from policy.decision import AccessPoint, Mode, Outcome, Question, decide
from policy.state import State

CONTENT = (AccessPoint.MANIFEST, AccessPoint.BLOB, AccessPoint.REFERRERS)
UNCLEARED = (State.REFUSED, State.INCONCLUSIVE, State.PENDING)
BOTH = (False, True)


def outcomes(door: AccessPoint, state: State, *, may_push: bool, exempt: bool = False) -> dict[Mode, Outcome]:
    """What happens in each mode."""
    return {mode: decide(Question(door, state, mode, may_push, exempt)) for mode in Mode}


@pytest.mark.parametrize(("door", "may_push", "exempt"), list(product(AccessPoint, BOTH, BOTH)))
def test_cleared_is_let_through_everywhere(door: AccessPoint, may_push: bool, exempt: bool) -> None:
    """A cleared image meets no resistance."""
    found = outcomes(door, State.CLEARED, may_push=may_push, exempt=exempt)
    assert set(found.values()) == {Outcome.ALLOW}


@pytest.mark.parametrize(("door", "state"), list(product(CONTENT, UNCLEARED)))
def test_content_is_withheld_from_readers(door: AccessPoint, state: State) -> None:
    """What is not cleared leaves for readers only where the mode says so."""
    assert outcomes(door, state, may_push=False) == {
        Mode.ENFORCE: Outcome.DENY,
        Mode.REJECT: Outcome.DENY,
        Mode.WARN: Outcome.WARN,
        Mode.AUDIT: Outcome.ALLOW,
    }


@pytest.mark.parametrize(("door", "state"), list(product(CONTENT, UNCLEARED)))
def test_pushers_may_look(door: AccessPoint, state: State) -> None:
    """Who may push may fetch what is refused."""
    assert set(outcomes(door, state, may_push=True).values()) == {Outcome.ALLOW}


@pytest.mark.parametrize(("state", "may_push"), list(product(UNCLEARED, BOTH)))
def test_a_deployment_never_starts_from_what_is_not_cleared(state: State, may_push: bool) -> None:
    """The door to a deployment does not ask who pushes."""
    found = outcomes(AccessPoint.REFERENCE, state, may_push=may_push)
    assert (found[Mode.ENFORCE], found[Mode.REJECT]) == (Outcome.DENY, Outcome.DENY)
    assert (found[Mode.WARN], found[Mode.AUDIT]) == (Outcome.WARN, Outcome.ALLOW)


@pytest.mark.parametrize(("door", "mode", "may_push"), list(product(AccessPoint, Mode, BOTH)))
def test_artifacts_are_served_but_not_deployed(door: AccessPoint, mode: Mode, may_push: bool) -> None:
    """What is not an image is never referenced, whatever the mode."""
    found = decide(Question(door, State.NOT_APPLICABLE, mode, may_push))
    assert found is (Outcome.DENY if door is AccessPoint.REFERENCE else Outcome.ALLOW)


@pytest.mark.parametrize(("state", "mode", "may_push", "exempt"), list(product(State, Mode, BOTH, BOTH)))
def test_what_is_not_there_is_not_deployed(state: State, mode: Mode, may_push: bool, exempt: bool) -> None:
    """Whatever the verdict, the mode, the caller or an exemption say."""
    assert decide(Question(AccessPoint.REFERENCE, state, mode, may_push, exempt, missing=True)) is Outcome.DENY


@pytest.mark.parametrize(("door", "state", "exempt"), list(product((*CONTENT, AccessPoint.REFERENCE), State, BOTH)))
def test_what_refers_to_something_withheld_is_withheld(door: AccessPoint, state: State, exempt: bool) -> None:
    """Whatever it is itself, where the mode withholds anything."""
    found = {mode: decide(Question(door, state, mode, False, exempt, refers_to_withheld=True)) for mode in Mode}
    assert {found[mode] for mode in (Mode.ENFORCE, Mode.REJECT)} == {Outcome.DENY}


@pytest.mark.parametrize(("state", "mode"), list(product(State, Mode)))
def test_pushes_are_decided_without_what_they_refer_to(state: State, mode: Mode) -> None:
    """An attestation of a refused image may be pushed; what is missing has been asked for before."""
    plain = decide(Question(AccessPoint.PUSH, state, mode, may_push=True))
    assert decide(Question(AccessPoint.PUSH, state, mode, True, missing=True, refers_to_withheld=True)) is plain


@pytest.mark.parametrize("may_push", BOTH)
@pytest.mark.parametrize("state", [State.REFUSED, State.INCONCLUSIVE])
def test_pushes(state: State, may_push: bool) -> None:
    """Only reject refuses a push; the others tell, but for audit."""
    assert outcomes(AccessPoint.PUSH, state, may_push=may_push) == {
        Mode.ENFORCE: Outcome.WARN,
        Mode.REJECT: Outcome.DENY,
        Mode.WARN: Outcome.WARN,
        Mode.AUDIT: Outcome.ALLOW,
    }


def test_a_pending_push_is_accepted() -> None:
    """What takes too long to read is kept, and cleared nowhere."""
    assert Outcome.DENY not in outcomes(AccessPoint.PUSH, State.PENDING, may_push=True).values()


@pytest.mark.parametrize(("door", "mode", "may_push"), list(product(AccessPoint, Mode, BOTH)))
def test_an_exemption_warns_at_every_door(door: AccessPoint, mode: Mode, may_push: bool) -> None:
    """A refused image with a live exemption passes, and says so."""
    assert decide(Question(door, State.REFUSED, mode, may_push, exempt=True)) is Outcome.WARN


@pytest.mark.parametrize(
    ("door", "mode"), list(product((*CONTENT, AccessPoint.REFERENCE), (Mode.ENFORCE, Mode.REJECT)))
)
@pytest.mark.parametrize("state", [State.INCONCLUSIVE, State.PENDING])
def test_no_exemption_for_what_was_not_read(door: AccessPoint, mode: Mode, state: State) -> None:
    """An exemption is no verdict on what nobody could look at."""
    assert decide(Question(door, state, mode, may_push=False, exempt=True)) is Outcome.DENY

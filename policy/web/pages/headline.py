"""The first sentence of an image's page: what is the case, and what follows from it."""

from collections.abc import Mapping, Sequence
from typing import Any

from policy.decision import Mode
from policy.state import State

_CANNOT = (
    "Readers cannot pull it, and no deployment can start from it. Who may push to {name} can still fetch it, to look."
)
_WARNED = "It can be pulled and deployed all the same, with a warning: the mode of {name} is {mode}."
_FOLLOWS: Mapping[State, str] = {
    State.CLEARED: "Whoever may pull from {name} can pull it, and a deployment can start from it.",
    State.NOT_APPLICABLE: "It can be pulled; no deployment can start from it, as it is not an image.",
}


def headline_of(
    name: str, state: State, mode: Mode, findings: Sequence[Mapping[str, Any]], *, exempt: bool
) -> dict[str, str]:
    """`{"word", "text", "follows"}`."""
    reasons = [finding["message"] for finding in findings if finding["result"] in {"fail", "error"}]
    more = f" And {len(reasons) - 1} more, below." if len(reasons) > 1 else ""
    text = {
        State.CLEARED: "everything that the policy asks for was found.",
        State.PENDING: "its layers are being looked into.",
        State.NOT_APPLICABLE: "this is content of another kind, which no rule judges.",
    }.get(state, f"{_ended(reasons[0]) if reasons else 'no rule says why.'}{more}")
    return {
        "word": state.value.replace("-", " ").capitalize(),
        "text": text,
        "follows": _follows(name, state, mode, exempt=exempt),
    }


def _follows(name: str, state: State, mode: Mode, *, exempt: bool) -> str:
    if exempt and state is State.REFUSED:
        return "An exemption lets it pass with a warning until it ends. The verdict stays what it is."
    if state in _FOLLOWS:
        return _FOLLOWS[state].format(name=name)
    if not mode.withholds:
        return _WARNED.format(name=name, mode=mode.value)
    until = " Until then, readers cannot pull it. Load this page again to see." if state is State.PENDING else ""
    return until.strip() or _CANNOT.format(name=name)


def _ended(sentence: str) -> str:
    return sentence if sentence.endswith((".", "!", "?")) else f"{sentence}."

"""Verdicts: states, documents, indexes."""

from dataclasses import replace

import pytest

from policy.assessment.verdict import Child, Verdict, judge_artifact, judge_image, judge_index, verdict_of
from policy.definition.policy import DEFAULT, known_policies, load_policy, parse_policy
from policy.inspection.facts import Problem
from policy.rules.text_limits import FINDING_LIMIT
from policy.state import State
from tests.policy.facts_made import base_fact, conda_fact, image, os_fact, python_fact

POLICY = known_policies()[DEFAULT]
CLEARED = judge_image("sha256:1", image(), POLICY)
REFUSED = judge_image("sha256:2", image(os_fact(), conda_fact(), python_fact("3.7.0")), POLICY)
UNREADABLE = judge_image("sha256:3", image(problems=(Problem("damaged-layer", "layer 1: bad checksum"),)), POLICY)
ARTIFACT = judge_artifact("sha256:4", "application/vnd.cncf.helm.config.v1+json", POLICY)


def index(*members: Verdict | None) -> Verdict:
    """The verdict on an index with these children; `None` is one that does not count."""
    children = [
        (Child(f"sha256:{at}", "linux/amd64", found.state if found else ""), found) for at, found in enumerate(members)
    ]
    return judge_index("sha256:9", children, POLICY)


def test_states() -> None:
    """One example of each stored state."""
    found = [item.state for item in (CLEARED, REFUSED, UNREADABLE, ARTIFACT)]
    assert found == [State.CLEARED, State.REFUSED, State.INCONCLUSIVE, State.NOT_APPLICABLE]


def test_a_problem_is_never_cleared() -> None:
    """Facts that would pass do not clear an image that could not be read whole; the reason is said."""
    assert UNREADABLE.reasons == ("cannot be inspected: layer 1: bad checksum",)


def test_summary_is_null_for_what_was_not_found() -> None:
    """The summary names every subject."""
    verdict = judge_image("sha256:1", image(os_fact("ubuntu", None)), POLICY)
    nothing = {"conda": None, "python": None, "base_python": None}
    assert verdict.facts == {"os": {"id": "ubuntu", "version": None}, **nothing}


def test_summary_tells_both_pythons() -> None:
    """The one that PATH reaches, and beside it that of Conda's base environment, whichever is judged."""
    verdict = judge_image("sha256:1", image(python_fact("3.6.8"), base_fact("3.7.1")), POLICY)
    assert (verdict.facts["python"], verdict.facts["base_python"]) == ({"version": "3.6.8"}, {"version": "3.7.1"})


def test_what_was_found_is_told_beside_a_problem() -> None:
    """The image is inconclusive; its operating system is judged, and of Python nothing is claimed."""
    verdict = judge_image("sha256:1", image(os_fact("debian", "9"), problems=(Problem("unclear-python", "x"),)), POLICY)
    assert verdict.state is State.INCONCLUSIVE
    assert verdict.facts["os"] == {"id": "debian", "version": "9"}
    found = [(item.rule, item.result.value) for item in verdict.findings]
    assert found == [
        ("inspection", "error"),
        ("os-version", "fail"),
        ("conda-version", "skip"),
        ("python-version", "skip"),
    ]


def test_messages_have_an_end() -> None:
    """Names of any length out of an image leave the reason readable."""
    long = replace(os_fact("x" * 5000, "9" * 5000), note="n" * 5000)
    problem = Problem("hostile-name", f"layer 1: member {'y' * 5000} climbs out of the image")
    for verdict in (
        judge_image("sha256:1", image(long), POLICY),
        judge_image("sha256:1", image(problems=(problem,)), POLICY),
    ):
        assert max(len(item.message) for item in verdict.findings) <= FINDING_LIMIT
    assert verdict.reasons[0].endswith("climbs out of the image")


def test_the_document_is_canonical_and_complete() -> None:
    """What was written reads back as the same verdict and as the same bytes."""
    for verdict in (CLEARED, REFUSED, UNREADABLE, ARTIFACT, index(CLEARED, None)):
        assert verdict_of(verdict.to_bytes()) == verdict
        assert verdict_of(verdict.to_bytes()).to_bytes() == verdict.to_bytes()


def test_the_document_depends_on_image_and_policy_only() -> None:
    """Judging again gives the same bytes."""
    again = parse_policy(
        {key: POLICY.content[key] for key in sorted(POLICY.content, reverse=True)}, "the same, in another order"
    )
    assert judge_image("sha256:1", image(), again).to_bytes() == CLEARED.to_bytes()


@pytest.mark.parametrize(
    ("members", "state"),
    [
        ((CLEARED,), State.CLEARED),
        ((CLEARED, CLEARED), State.CLEARED),
        ((CLEARED, None), State.CLEARED),
        ((CLEARED, ARTIFACT), State.INCONCLUSIVE),
        ((REFUSED, ARTIFACT), State.INCONCLUSIVE),
        ((CLEARED, REFUSED), State.REFUSED),
        ((CLEARED, UNREADABLE), State.INCONCLUSIVE),
        ((REFUSED, UNREADABLE), State.INCONCLUSIVE),
        ((), State.NOT_APPLICABLE),
        ((None,), State.NOT_APPLICABLE),
        ((ARTIFACT,), State.NOT_APPLICABLE),
    ],
)
def test_index(members: tuple[Verdict | None, ...], state: State) -> None:
    """An index is cleared when every image in it that counts is."""
    assert index(*members).state is state


def test_index_reasons_name_the_platform() -> None:
    """A person sees which child is at fault."""
    assert index(CLEARED, REFUSED).reasons[0].startswith("linux/amd64: Python 3.7.0 found")


def test_what_an_index_tells_has_an_end() -> None:
    """However often it names an image; what is told of the last one alone is there as well."""
    members = [REFUSED] * 1000
    found = index(*members, UNREADABLE).findings
    assert len(found) < 400
    assert {item.rule for item in found} >= {"python-version", "inspection"}


def test_nested_indexes_tell_as_much_as_one() -> None:
    """An index that is named many times, in one that is."""
    inner = index(*[REFUSED] * 200)
    outer = index(*[inner] * 200)
    assert (len(outer.findings) < 400, outer.state, len(outer.children)) == (True, State.REFUSED, 200)


def test_an_artifact_may_be_refused_by_policy() -> None:
    """A policy decides what becomes of content that is not an image."""
    raw = b"{name: s, title: t, source: {document: d, date: '2026-01-01'}, artifacts: refused, rules: [{rule: posix-shell, path: /bin/sh}]}"  # noqa: E501
    assert judge_artifact("sha256:4", "x", load_policy(raw, "s")).state is State.REFUSED

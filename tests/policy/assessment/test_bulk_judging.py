"""Judging the store from facts alone: the same states as the whole verdicts, and nothing opened."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policy.assessment.bulk_judging import rejudge, store
from policy.assessment.manifest_verdicts import image_subject, state_of_essence, verdict_on
from policy.assessment.verdict import index_state
from policy.definition.policy import Policy, known_policies
from policy.inspection.facts import Fact, ImageFacts, Problem
from policy.results.manifests import Kind
from policy.state import State
from registry.oci.digest import Digest
from tests.policy.facts_made import conda_fact, os_fact, python_fact, shell_fact
from tests.policy.images_made import artifact, bad, damaged, good, index
from tests.policy.lab import TEAM, Lab

POLICIES = tuple(known_policies().values())


@pytest.fixture
def lab(lab: Lab) -> Lab:
    """With something of every kind in it."""
    for made in (good(), bad(), damaged(), artifact()):
        lab.pushed(made, None)
    for raw in (BOTH, GAP, NESTED):
        lab.run(lab.push_manifest(raw, None))
    lab.results.settle()
    return lab


BOTH = index((good().manifest, "linux/amd64"), (bad().manifest, "linux/arm64"), (artifact().manifest, ""))
GAP = index((good().manifest, "linux/arm64"), (artifact().manifest, "linux/amd64"))
NESTED = index((BOTH, ""), (damaged().manifest, "unknown/unknown"))
ALL = [made.digest for made in (good(), bad(), damaged(), artifact())] + [Digest.of(raw) for raw in (BOTH, GAP, NESTED)]


@pytest.mark.parametrize("policy", POLICIES, ids=lambda policy: policy.name)
def test_states_are_those_of_the_whole_verdicts(lab: Lab, policy: Policy) -> None:
    """For every policy and every kind of manifest."""
    whole = {}
    for digest in ALL:
        verdict = lab.run(lab.gate.judge.verdict(TEAM, digest, policy, 30))
        assert verdict is not None
        whole[digest] = verdict.state
    assert rejudge(lab.results, policy).states == whole


def test_an_index_that_is_named_many_times_is_judged_once(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    """Three of thirty entries each would be 27,000 looks."""
    raw = good().manifest
    for _ in range(3):
        raw = index(*[(raw, "")] * 30)
        lab.run(lab.push_manifest(raw, None))
    lab.results.settle()
    looked: list[object] = []

    def counted(found: Sequence[tuple[State, bool]]) -> State:
        looked.append(found)
        return index_state(found)

    monkeypatch.setattr("policy.assessment.bulk_judging.index_state", counted)
    rejudge(lab.results, POLICIES[0])
    assert len(looked) < 20


def test_no_layer_is_opened(lab: Lab) -> None:
    """A hundred policies would not read a byte."""
    before = lab.gate.inspector.workers.counters.bytes_opened
    for policy in POLICIES:
        store(lab.results, policy, rejudge(lab.results, policy))
    assert lab.gate.inspector.workers.counters.bytes_opened == before


def test_kept_states_are_found_at_the_doors(lab: Lab) -> None:
    """What was judged beforehand is known without looking."""
    later = known_policies()["azureml-2020-09"]
    store(lab.results, later, rejudge(lab.results, later))
    assert lab.gate.judge.known_state(bad().digest, later) is State.CLEARED


FACTS = st.lists(
    st.one_of(
        st.builds(os_fact, st.sampled_from(["ubuntu", "debian"]), st.sampled_from([None, "14.04", "16.04", "18.04"])),
        st.builds(conda_fact, st.sampled_from([None, "4.4.11", "4.5", "4.10.3", "nonsense"])),
        st.builds(python_fact, st.sampled_from([None, "2.7", "3.5.2", "3.6.8", "3.10.1"]), judged=st.booleans()),
        st.builds(shell_fact, st.sampled_from(["bin/sh", "bin/bash"])),
    ),
    max_size=5,
)


@given(FACTS, st.booleans(), st.sampled_from(POLICIES))
def test_the_essence_decides(facts: list[Fact], damaged_too: bool, policy: Policy) -> None:
    """The state made of a subject's essence is that of its whole verdict, whatever the facts."""
    problems = (Problem("damaged-layer", "cut short"),) if damaged_too else ()
    subject = image_subject("sha256:1", ImageFacts(tuple(facts), problems=problems), "a@1")
    assert state_of_essence(Kind.IMAGE, subject.essence, policy) is verdict_on(subject, policy).state

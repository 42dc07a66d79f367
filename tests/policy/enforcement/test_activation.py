"""Putting a policy into force while another process looks into images again."""

import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import Connection

from policy.assessment.bulk_judging import rejudge, store
from policy.assessment.inspector import CURRENT
from policy.definition.policy import known_policies
from policy.enforcement.activation import activate
from policy.results import manifests as inspected_manifests
from policy.results import verdicts
from policy.results.sqlite_store import FILE, SqliteResults
from policy.state import State
from tests.policy.images_made import bad, good
from tests.policy.lab import Lab

POLICY = known_policies()["azureml-2019-07"]


class _Beside(SqliteResults):
    """policy.db of another process over the same folder; `meanwhile` happens the first time states are written."""

    def __init__(self, lab: Lab) -> None:
        super().__init__(lab.data / FILE)
        self._lab = lab
        self.meanwhile: Any = None

    def write(self, change: Any, *args: Any, **kwargs: Any) -> Any:
        """Let the other process go first, once."""
        if change is verdicts.save_unless and self.meanwhile is not None:
            meanwhile, self.meanwhile = self.meanwhile, None
            self._lab.results.write(meanwhile)
        return super().write(change, *args, **kwargs)


@pytest.fixture
def lab(lab: Lab) -> Lab:
    """A registry with an image that its policy refuses and one that it clears."""
    for made in (good(), bad()):
        lab.pushed(made, None)
    return lab


@pytest.fixture
def beside(lab: Lab) -> Iterator[_Beside]:
    """What a command opens."""
    results = _Beside(lab)
    yield results
    results.close()


def _see_anew(connection: Connection) -> None:
    """The refused image turns out to be as the cleared one."""
    found, other = (inspected_manifests.find(connection, made.digest, CURRENT) for made in (bad(), good()))
    assert found is not None
    assert other is not None
    inspected_manifests.save(connection, [replace(found, essence=other.essence)])
    verdicts.forget(connection, bad().digest)


def test_states_of_old_facts_are_not_kept(lab: Lab, beside: _Beside) -> None:
    """A manifest that was seen anew since it was judged keeps no state of what was seen before."""
    judged = rejudge(beside, POLICY)
    lab.results.write(_see_anew)
    assert not store(beside, POLICY, judged)
    assert lab.results.read(verdicts.find, POLICY.digest, bad().digest) is None


def test_what_is_seen_anew_during_an_activation_is_judged_again(lab: Lab, beside: _Beside) -> None:
    """The policy comes into force with states of what is known by then."""
    beside.meanwhile = _see_anew
    judged = activate(lab.gate.orders, beside, POLICY, "*", time.time())
    assert judged.states == {good().digest: State.CLEARED, bad().digest: State.CLEARED}
    assert lab.results.read(verdicts.all_states, POLICY.digest) == judged.states

"""The corpus: every image has the facts it was built with, and the verdict the default policy must give."""

import pytest

from policy.assessment.verdict import judge_image
from policy.definition.policy import known_policies
from policy.inspection.facts import Fact, ImageFacts
from registry.oci.digest import Digest
from tests.corpus import (
    accepted,
    damages,
    environments,
    formats,
    lookups,
    refusals,
    runtimes,
    stacks,
    starters,
    texts,
)
from tests.corpus.case import INCONCLUSIVE, Case

CASES: list[Case] = [
    *accepted.CASES,
    *refusals.CASES,
    *formats.CASES,
    *damages.CASES,
    *stacks.CASES,
    *lookups.CASES,
    *environments.CASES,
    *runtimes.CASES,
    *starters.CASES,
    *texts.CASES,
]
ENOUGH = 150


def system(facts: ImageFacts) -> str | None:
    """The judged operating system, `ubuntu 16.04`."""
    judged = facts.judged("os")
    return f"{judged[0].value.get('id', '?')} {judged[0].value.get('version', '?')}" if judged else None


def versions(facts: tuple[Fact, ...]) -> tuple[str, ...]:
    """The versions of judged facts."""
    return tuple(fact.value.get("version", "?") for fact in facts)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name.replace(" ", "-"))
def test_image_has_its_facts_and_verdict(case: Case) -> None:
    """What was built in is found, nothing else, and the policy decides as it must."""
    built = case.build()
    facts = built.facts(case.budgets)
    verdict = judge_image(Digest.of(built.manifest()), facts, known_policies()["azureml-2019-07"])
    found = (system(facts), versions(facts.judged("conda")), versions(facts.judged("python")), verdict.state.value)
    if case.verdict == INCONCLUSIVE:  # what could be told of it is told as well, and does not count
        found = (None, (), (), found[-1])
    assert found == (case.os, tuple(case.conda), tuple(case.python), case.verdict), verdict.reasons
    assert case.says in " ".join(verdict.reasons)
    assert bool(facts.problems) == (case.verdict == "inconclusive")


def test_names_are_unique() -> None:
    """Two cases of one name would hide one another in a report."""
    assert len({case.name for case in CASES}) == len(CASES)


def test_corpus_is_large_enough() -> None:
    """The corpus stays as large as it was promised to be."""
    assert len(CASES) >= ENOUGH

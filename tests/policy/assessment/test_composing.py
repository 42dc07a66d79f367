"""Images that take long to compose: others have their turn meanwhile, and past a budget they are inconclusive."""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

import pytest

from policy.assessment.composing import Composer
from policy.inspection.budgets import ImageBudgets
from policy.inspection.facts import ImageFacts
from policy.inspection.layer.report import LayerInspection
from tests.corpus.builders import Image, image
from tests.corpus.case import good
from tests.corpus.tarballs import file, folder, link

T = TypeVar("T")


def winding(entries: int, longest: int = 500) -> Image:
    """A PATH of links, each of which leads through thousands of directories and back to the start."""
    chain = [link(f"l{n}", "a/../" * longest + f"l{n + 1}").but(form="gnu") for n in range(10)]
    starts = [link(f"m{n}", "l0") for n in range(entries)]
    return image([*good(), folder("a"), *chain, *starts], path=":".join(f"/m{n}" for n in range(entries)))


def detours(count: int) -> Image:
    """A layer of directories that are such links in the layer below."""
    chain = [link(f"l{n}", "a/../" * 500 + f"l{n + 1}").but(form="gnu") for n in range(10)]
    starts = [link(f"m{n}", f"l0/{n}") for n in range(count)]
    return image([*good(), folder("a"), *chain, *starts], [file(f"m{n}/x") for n in range(count)])


async def turns_during(work: Coroutine[Any, Any, T]) -> tuple[T, int]:
    """What comes of it, and how often others had their turn meanwhile."""
    turns, doing = 0, asyncio.ensure_future(work)
    while not doing.done():
        turns += 1
        await asyncio.sleep(0)
    return await doing, turns


def composed(made: Image, budgets: ImageBudgets | None = None) -> tuple[ImageFacts, int]:
    """Its facts, and the turns of others."""
    composer = Composer(budgets or ImageBudgets())
    layers = [item for item in made.inspected() if isinstance(item, LayerInspection)]
    try:
        return asyncio.run(turns_during(composer.facts(made.config, layers, made.descriptors())))
    finally:
        composer.close()


def test_an_image_of_usual_size_is_composed_at_once() -> None:
    """A thread would take longer."""
    facts, turns = composed(image(good()))
    assert (facts.problems, turns <= 3) == ((), True)


@pytest.mark.parametrize("made", [winding(10), detours(10)], ids=["links", "detours"])
def test_others_have_their_turn_while_an_image_is_composed(made: Image) -> None:
    """However few members it has."""
    facts, turns = composed(made)
    assert facts.facts
    assert turns > 10


@pytest.mark.parametrize("made", [winding(40), detours(40)], ids=["links", "detours"])
def test_an_image_that_takes_too_many_steps_is_inconclusive(made: Image) -> None:
    """And says how many it may take."""
    facts, _ = composed(made, ImageBudgets(steps=100_000))
    assert [problem.reason for problem in facts.problems] == ["budget"]
    assert "more than 100000 steps" in facts.problems[0].message

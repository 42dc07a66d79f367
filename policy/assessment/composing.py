"""Composes images: small ones in the event loop, because a thread costs more, the rest beside it."""

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from typing import TypeVar

from policy.inspection.budgets import ImageBudgets
from policy.inspection.facts import ImageFacts
from policy.inspection.image.compose import compose
from policy.inspection.layer.report import LayerInspection
from registry.content.parsing import in_short_turns
from registry.oci.descriptor import Descriptor
from registry.oci.platforms import platform_of_config

T = TypeVar("T")

MANY = 500
"""Layers past which an image is composed by a thread, each time: Linux stacks no more (`OVL_MAX_STACK`)."""
_MEMBERS = 10_000
_TEXT = 16_384
_STEPS = 20_000
"""Members of all layers together, bytes of a configuration, and steps up to which it is done in the event loop."""


class Composer:
    """Two threads, and what composing an image may cost."""

    def __init__(self, budgets: ImageBudgets) -> None:
        self.budgets = budgets
        self.threads = ThreadPoolExecutor(2, thread_name_prefix="compose")

    async def facts(
        self, config: bytes, layers: Sequence[LayerInspection], descriptors: Sequence[Descriptor]
    ) -> ImageFacts:
        """The facts of an image, as `compose` has them."""
        work = partial(compose, config, layers, descriptors)
        if len(config) <= _TEXT and len(layers) <= MANY and sum(layer.members for layer in layers) <= _MEMBERS:
            facts = work(replace(self.budgets, steps=min(_STEPS, self.budgets.steps)))
            if all(problem.reason != "budget" for problem in facts.problems):
                return facts
        return await self.beside(partial(work, self.budgets))

    async def platform(self, config: bytes) -> str:
        """What a configuration says that the image runs on, in normal form; "" when it says nothing."""
        named = (
            platform_of_config(config)
            if len(config) <= _TEXT
            else await self.beside(partial(platform_of_config, config))
        )
        return str(named.normal) if named.is_named else ""

    async def beside(self, work: Callable[[], T]) -> T:
        """Do it in a thread."""
        return await asyncio.get_running_loop().run_in_executor(self.threads, in_short_turns, work)

    def close(self) -> None:
        """End the threads."""
        self.threads.shutdown()

"""Two images of a repository beside each other: facts, the first layer that differs, size, configuration."""

import asyncio
from collections.abc import Sequence
from functools import partial
from itertools import zip_longest
from typing import Any

from policy.web.pages.image import ImagePage
from policy.web.visit import View, Visit
from registry.auth.actions import Action
from registry.content.parsing import in_short_turns
from registry.metadata import overviews
from registry.oci.names import RepositoryName, parse_reference

_TAGS = 200
_FACTS = ("verdict", "os", "conda", "python", "platform", "size", "layers")


class ComparePage:
    """Builds `/compare/NAME?from=…&to=…`, and a choice of tags where one of them is missing.

    Args:
        image: knows what an image's page shows, and what it withholds.
    """

    def __init__(self, image: ImagePage) -> None:
        self._image = image

    async def __call__(self, visit: Visit) -> View:
        """Parse, authorise, and compare what two pages show."""
        name = RepositoryName.parse(visit.text)
        visit.require(Action.PULL, name)
        older, newer = visit.asked("from", 256), visit.asked("to", 256)
        tags = await visit.services.stores.metadata.read_apart(overviews.tag_page, name, "", _TAGS)
        document: dict[str, Any] = {"repository": name, "from": older, "to": newer, "comparison": None}
        if older and newer:
            sides = [await self._side(visit, name, each) for each in (older, newer)]
            document["comparison"] = await asyncio.to_thread(in_short_turns, partial(comparison_of, *sides))
        return View("compare.html", document, {"tags": [tag.name for tag in tags]})

    async def _side(self, visit: Visit, name: RepositoryName, reference: str) -> dict[str, Any]:
        return (await self._image(visit, name, parse_reference(reference))).document


def comparison_of(older: dict[str, Any], newer: dict[str, Any]) -> dict[str, Any]:
    """What is the same and what is not; what is withheld of one is compared with nothing.

    `first_difference`: index of the first layer that differs, -1 when none does, or when one side tells none.
    """
    sides = (older, newer)
    whole = not older["withheld"] and not newer["withheld"] and older["layers"] and newer["layers"]
    pairs = list(zip_longest(*(side["layers"] for side in sides))) if whole else []
    differing = [index for index, (a, b) in enumerate(pairs) if not a or not b or a["digest"] != b["digest"]]
    return {
        "digests": [side["digest"] for side in sides],
        "withheld": [side["withheld"] for side in sides],
        "facts": _facts(older, newer),
        "first_difference": differing[0] if differing else -1,
        "layers": [{"index": index, "from": a, "to": b} for index, (a, b) in enumerate(pairs)],
        "configuration": _configuration(*(side["configuration"]["settings"] for side in sides)),
    }


def _facts(older: dict[str, Any], newer: dict[str, Any]) -> list[dict[str, Any]]:
    told = []
    for side in (older, newer):
        known = {**side["facts"], "verdict": side["verdict"], "platform": side["configuration"]["platform"]}
        told.append(known | {"size": side["size"], "layers": len(side["layers"])})
    return [{"fact": fact, "from": told[0][fact], "to": told[1][fact]} for fact in _FACTS]


def _configuration(older: Sequence[Sequence[str]], newer: Sequence[Sequence[str]]) -> list[dict[str, str]]:
    """The settings that only one side has."""
    before, after = {tuple(each) for each in older}, {tuple(each) for each in newer}
    gone = [{"change": "-", "name": name, "value": value} for name, value in sorted(before - after)]
    come = [{"change": "+", "name": name, "value": value} for name, value in sorted(after - before)]
    return sorted([*gone, *come], key=lambda each: each["name"])

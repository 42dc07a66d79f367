"""Look-alikes of Conda in an image without one: reported, so that a refusal can say why they do not count."""

import re

from policy.inspection.archive.names import shown
from policy.inspection.detectors.conda_lookalike import WANTED, kind_of
from policy.inspection.facts import Fact
from policy.inspection.image.merged_root import Node
from policy.inspection.image.view import ImageView

_NAMES = re.compile(WANTED)


def conda_lookalikes(image: ImageView) -> list[Fact]:
    """One fact `{"lookalike", "version"}` per file that the root shows, links followed, by path; never judged.

    For images without a Conda only: every real one contains pip's record as well.
    """
    facts: dict[bytes, Fact] = {}
    for _, path in image.visible(_NAMES):
        node, links = image.root.follow(path)
        kind = kind_of(path)
        if kind and node is not None and node.is_file and node.path not in facts:
            facts[node.path] = _fact(image, node, kind, links)
    return list(facts.values())


def _fact(image: ImageView, node: Node, kind: str, links: tuple[Node, ...]) -> Fact:
    version = node.record.values.get("version", "") if node.record else ""
    value = {"lookalike": kind, "version": version} if version else {"lookalike": kind}
    evidence = (image.seen(node, version), *image.linked(links))
    note = f"{shown(node.path)} is {kind}, which proves no Conda installation"
    return Fact("conda", value, judged=False, evidence=evidence, note=note)

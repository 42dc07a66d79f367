"""What looks like a Conda in an image that has none: reported, so that a refusal can say why it does not count."""

import re

from policy.inspection.archive.names import shown
from policy.inspection.detectors.conda_lookalike import WANTED, kind_of
from policy.inspection.facts import Fact
from policy.inspection.image.merged_root import Node
from policy.inspection.image.view import ImageView

_NAMES = re.compile(WANTED)


def conda_lookalikes(look: ImageView) -> list[Fact]:
    """One fact `{"lookalike", "version"}` per file that the root shows, links followed, by path; never judged.

    For images without a Conda only: pip's record lies in every real one as well.
    """
    found: dict[bytes, Fact] = {}
    for _, path in look.visible(_NAMES):
        node, links = look.root.follow(path)
        kind = kind_of(path)
        if kind and node is not None and node.is_file and node.path not in found:
            found[node.path] = _fact(look, node, kind, links)
    return list(found.values())


def _fact(look: ImageView, node: Node, kind: str, links: tuple[Node, ...]) -> Fact:
    version = node.record.values.get("version", "") if node.record else ""
    value = {"lookalike": kind, "version": version} if version else {"lookalike": kind}
    evidence = (look.seen(node, version), *look.linked(links))
    note = f"{shown(node.path)} is {kind}, which proves no Conda installation"
    return Fact("conda", value, judged=False, evidence=evidence, note=note)

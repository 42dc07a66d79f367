"""Looking things up in an image's root, and keeping the evidence of what was found and what was not."""

import re
from collections.abc import Sequence

from policy.facts import Evidence, EvidenceState, Fact
from policy.inspection.budgets import ImageBudgets
from policy.inspection.image_config import ImageConfig
from policy.inspection.records import Record
from policy.inspection.root import Node, Root, RootUnclear
from policy.inspection.tree import shown


class Look:
    """One image being looked into: its root, its PATH, the digests of its layers."""

    def __init__(self, root: Root, config: ImageConfig, layers: Sequence[str], budgets: ImageBudgets) -> None:
        self.root = root
        self.budgets = budgets
        self.config = config
        self.path = tuple(
            directory.strip("/").encode("utf-8", "surrogateescape") for directory in config.path_directories
        )
        self._layers = tuple(layers)
        self._absent: dict[str, list[Evidence]] = {}
        self._visible: dict[re.Pattern[bytes], list[tuple[int, bytes]]] = {}
        if len(self.path) > budgets.path_directories:
            raise RootUnclear(f"PATH has more than {budgets.path_directories} directories")
        if sum(len(tier.records) + len(tier.named) for tier in root.tiers) > budgets.wanted_files:
            raise RootUnclear(f"the image has more than {budgets.wanted_files} files that detectors want")

    def on_path(self, name: bytes, subject: str) -> tuple[Node, bytes] | None:
        """The first executable file of this name on PATH, links followed, and the path it was found at."""
        for directory in self.path:
            path = directory + b"/" + name if directory else name
            node = self.root.find(path)
            if node is not None and node.is_executable:
                return node, path
            self.missed(subject, shown(path))
        return None

    def missed(self, subject: str, path: str) -> None:
        """Note that something was looked for here and is not there."""
        self._absent.setdefault(subject, []).append(Evidence(path, EvidenceState.ABSENT))

    def absent(self) -> dict[str, tuple[Evidence, ...]]:
        """What was looked for and not found, per subject, each place once."""
        return {subject: tuple(dict.fromkeys(items)) for subject, items in sorted(self._absent.items())}

    def seen(self, node: Node, value: str) -> Evidence:
        """The evidence of what a record, or the mere presence of a file, says."""
        if node.record is not None:
            return self.recorded(node.record, node.index, value)
        return Evidence(shown(node.path), layer=self._layers[node.index], index=node.index, value=value)

    def recorded(self, record: Record, index: int, value: str) -> Evidence:
        """The evidence of a record that the root shows."""
        return Evidence(
            path=shown(record.path),
            layer=self._layers[index],
            index=index,
            offset=record.offset if record.stored else -1,
            size=record.stored,
            sha256=record.sha256,
            value=value,
        )

    def hidden(self, record: Record, index: int, path: bytes, value: str) -> Evidence:
        """The evidence of a record that a newer layer deleted or replaced."""
        found = self.recorded(record, index, value)
        return Evidence(
            found.path,
            EvidenceState.SHADOWED,
            found.layer,
            index,
            found.offset,
            found.size,
            found.sha256,
            value,
            self.root.hidden_by(index, path),
        )

    def linked(self, links: Sequence[Node]) -> tuple[Evidence, ...]:
        """The evidence of links that were followed; there are no bytes to it."""
        return tuple(
            Evidence(shown(link.path), layer=self._layers[link.index], index=link.index, value=shown(link.entry[1:]))
            for link in links
        )

    def visible(self, name: re.Pattern[bytes]) -> list[tuple[int, bytes]]:
        """Layer and path of the records and links of this name that the root shows, by path."""
        if name not in self._visible:
            found = [item for item in self.root.candidates(name) if self.root.shows(*item)]
            self._visible[name] = sorted(found, key=lambda item: item[1])
        return self._visible[name]

    def record_of(self, node: Node, what: str, detector: str) -> Record:
        """The record that a detector made of a file that must be read to go on.

        Raises:
            RootUnclear: nobody read it when its layer was inspected, or another detector did.
        """
        if node.record is None:
            raise RootUnclear(f"{shown(node.path)} is {what}, and its bytes were not kept: its name gave no reason to")
        if node.record.detector != detector:
            raise RootUnclear(f"{shown(node.path)} is {what}, and was read as something else")
        return node.record


def in_package_cache(path: bytes) -> bool:
    """Whether a path lies in a `pkgs` directory, where Conda unpacks packages before it installs them."""
    return b"pkgs" in path.split(b"/")[:-1]


def joined(directory: bytes, name: bytes) -> bytes:
    """A path below a directory; the root is b""."""
    return directory + b"/" + name if directory else name


def parent(path: bytes) -> bytes:
    """The directory a path lies in."""
    return path.rpartition(b"/")[0]


def from_root(path: bytes) -> str:
    """A path as a person writes it, from `/`."""
    return "/" + shown(path)


def reported(subject: str, version: str, prefix: str, evidence: Evidence, note: str) -> Fact:
    """A fact that no rule looks at."""
    value = {"version": version, "prefix": prefix} if version else {"prefix": prefix}
    return Fact(subject, value, judged=False, evidence=(evidence,), note=note)

"""Looks files up in an image's root and keeps the evidence, also of places searched without success."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from policy.inspection.archive.names import shown
from policy.inspection.budgets import ImageBudgets
from policy.inspection.facts import Evidence, EvidenceState, Fact
from policy.inspection.image.config import ImageConfig
from policy.inspection.image.merged_root import ROOT, MergedRoot, Node, RootUnclear
from policy.inspection.image.process_root import View, is_mounted_over
from policy.inspection.layer.permissions import Identity
from policy.inspection.layer.records import Record
from policy.inspection.layer.tree import LINKS_AT_MOST

SHELL = b"bin/sh"
_PATH_MAX = 4096
_INTERPRETERS = 5  # of interpreters, as many as Linux starts


@dataclass(frozen=True, slots=True)
class Hit:
    """The program that a command name leads to.

    Attributes:
        node: the file, links followed.
        path: where it was found: the directory of PATH, links resolved, and the name.
        links: the links followed from there.
    """

    node: Node
    path: bytes
    links: tuple[Node, ...]


class ImageView:
    """An image under inspection: its root, its PATH, the digests of its layers."""

    def __init__(
        self, root: MergedRoot, config: ImageConfig, layers: Sequence[str], budgets: ImageBudgets, identity: Identity
    ) -> None:
        self.root = root
        self.budgets = budgets
        self.config = config
        made = [path.encode("utf-8", "surrogateescape") for path in (config.working_dir, *config.volumes)]
        self.view = View(root, identity, made)
        self._layers = tuple(layers)
        self._absent: dict[str, list[Evidence]] = {}
        self._visible: dict[re.Pattern[bytes], list[tuple[int, bytes]]] = {}
        if len(config.path_entries) > budgets.path_directories:
            raise RootUnclear(f"PATH has more than {budgets.path_directories} directories")
        if sum(len(layer.records) + len(layer.named) for layer in root.layers) > budgets.wanted_files:
            raise RootUnclear(f"the image has more than {budgets.wanted_files} files that detectors want")

    def on_path(self, name: bytes, subject: str) -> Hit | None:
        """The file that a shell starts for a name (POSIX.1-2017 2.9.1): the first on PATH that its user may execute.

        Raises:
            RootUnclear: the lookup leads to a place that only a runtime knows, or shells disagree on it.
        """
        if self.config.disputed:
            raise RootUnclear(self.config.disputed, "unclear-path")
        if self._shells_trouble:
            raise RootUnclear(f"{self._shells_trouble}: what a shell finds on PATH cannot be told", "unclear-user")
        for entry in self.config.path_entries:
            hit = self._in_directory(entry, name)
            if hit is not None:
                self._readable(hit.node)
                return hit
            self.missed(subject, shown(entry.strip(b"/") + b"/" + name if entry.strip(b"/") else name))
        return None

    @cached_property
    def _shells_trouble(self) -> str:
        """Why the image's shell looks names up otherwise than the image's user; "" when it does not."""
        node = self.root.find(SHELL)
        if self.view.identity.is_root or node is None or not node.is_executable:
            return ""
        seen = self.view.follow(SHELL)[0]
        if seen is None or not self.view.may_execute(seen):
            return "the image's User may not execute /bin/sh"
        return "/bin/sh has privileges of its own" if self.root.access_of(seen).is_privileged else ""

    def _in_directory(self, entry: bytes, name: bytes) -> Hit | None:
        if len(entry) + 1 + len(name) >= _PATH_MAX:
            return None  # ENAMETOOLONG
        start = ROOT if entry.startswith(b"/") else self._working_directory
        if start is None:
            if b".." in entry.split(b"/"):
                raise RootUnclear(f"PATH has {shown(entry)!r}, from a directory that the runtime makes", "unclear-path")
            return None
        hit = self._executable(entry, name, start)
        cut = entry.partition(b"%")[0]
        if cut != entry and (hit is not None or self._executable(cut, name, start) is not None):
            raise RootUnclear(
                f"PATH has {shown(entry)!r}: some shells take what follows % for an option", "unclear-path"
            )
        return hit

    def _executable(self, entry: bytes, name: bytes, start: Node) -> Hit | None:
        directory, before = self.view.follow(entry + b"/" if entry else b".", start)
        if directory is None:
            return None
        node, links = self.view.follow(name, directory)
        if node is None or len(before) + len(links) > LINKS_AT_MOST or not self.view.may_execute(node):
            return None
        if not self._has_starter(node):
            return None
        return Hit(node, joined(directory.path, name), links)

    def _has_starter(self, node: Node, deep: int = 0) -> bool:
        """Whether a program's interpreter or loader starts; if not, a shell searches the rest of PATH.

        Raises:
            RootUnclear: the bytes of the program or its starter were not read.
        """
        values = self._said(node)
        if "starter" not in values:
            return True
        starter = self.starter(values["starter"].encode("latin-1"))
        if starter is None or not self.view.may_execute(starter):
            return False
        self.record_of(starter, f"what starts {shown(node.path)}", "interpreter", "launcher")
        starter_values = self._said(starter)
        if values["format"] == "elf":  # Linux refuses a loader that is no program for this machine (ELIBBAD)
            return starter_values.get("format") == "elf" and starter_values.get("machine", "") == values.get("machine")
        if deep == _INTERPRETERS:
            return False
        # A shell runs a script itself when its interpreter is a text; an interpreter that is a script must be readable.
        starts = self._has_starter(starter, deep + 1)
        if starts and starter_values.get("format") == "script":
            self._readable(starter)
        return starts

    def _said(self, node: Node) -> Mapping[str, str]:
        if node.record is None:
            return {}
        if node.record.trouble:
            raise RootUnclear(f"whether {shown(node.path)} starts cannot be told: {node.record.trouble}")
        return node.record.values

    def starter(self, path: bytes) -> Node | None:
        """What Linux starts by a path, seen from the image's working directory; `None` when nothing is there."""
        if path.startswith(b"/"):
            return self.view.follow(path)[0]
        start = self._working_directory
        if start is None and b".." in path.split(b"/"):
            raise RootUnclear(
                f"a program is started by {shown(path)!r}, from a directory that the runtime makes", "unclear-path"
            )
        return None if start is None else self.view.follow(path, start)[0]

    def can_start(self, node: Node) -> bool:
        """Whether the image's user can start a program; a script must also be readable, for its interpreter."""
        return self.view.may_execute(node) and self._has_starter(node) and self._is_readable(node)

    def _is_readable(self, node: Node) -> bool:
        form = "" if node.record is None else node.record.values.get("format")
        return form == "elf" or self.view.may_read(node)

    def _readable(self, node: Node) -> None:
        if not self._is_readable(node):
            why = f"{shown(node.path)} may be executed but not read by the image's User: a script cannot start so"
            raise RootUnclear(why, "unclear-user")

    @cached_property
    def _working_directory(self) -> Node | None:
        """The start of relative entries of PATH; `None` for an empty directory that the runtime creates."""
        path = self.config.working_dir.encode("utf-8", "surrogateescape")
        if not path:
            return ROOT
        if not path.startswith(b"/") or b".." in path.split(b"/"):
            raise RootUnclear(
                f"PATH has relative entries and WorkingDir is {shown(path)!r}: runtimes disagree on where that is",
                "unclear-path",
            )
        node = View(self.root, Identity()).follow(path)[0]
        return node if node is not None and node.is_directory else None

    def missed(self, subject: str, path: str) -> None:
        """Note that a subject was searched for here without success."""
        self._absent.setdefault(subject, []).append(Evidence(path, EvidenceState.ABSENT))

    def absent(self) -> dict[str, tuple[Evidence, ...]]:
        """The places searched without success, per subject, each once."""
        return {subject: tuple(dict.fromkeys(items)) for subject, items in sorted(self._absent.items())}

    def seen(self, node: Node, value: str) -> Evidence:
        """The evidence of a record, or of the mere presence of a file."""
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
        shown_evidence = self.recorded(record, index, value)
        return Evidence(
            shown_evidence.path,
            EvidenceState.SHADOWED,
            shown_evidence.layer,
            index,
            shown_evidence.offset,
            shown_evidence.size,
            shown_evidence.sha256,
            value,
            self.root.hidden_by(index, path),
        )

    def linked(self, links: Sequence[Node]) -> tuple[Evidence, ...]:
        """The evidence of followed links; it has no bytes."""
        return tuple(
            Evidence(shown(link.path), layer=self._layers[link.index], index=link.index, value=shown(link.entry[1:]))
            for link in links
        )

    def visible(self, name: re.Pattern[bytes]) -> list[tuple[int, bytes]]:
        """Layer and path of the visible records and links with this name, sorted by path."""
        if name not in self._visible:
            shown_items = [
                item for item in self.root.candidates(name) if self.root.shows(*item) and not is_mounted_over(item[1])
            ]
            self._visible[name] = sorted(shown_items, key=lambda item: item[1])
        return self._visible[name]

    def record_of(self, node: Node, purpose: str, *detectors: str) -> Record:
        """The record that one of these detectors made of a file whose content is needed.

        Raises:
            RootUnclear: no detector read the file, or another one did.
        """
        if node.record is None:
            raise RootUnclear(
                f"{shown(node.path)} is {purpose}, and its bytes were not kept: its name gave no reason to"
            )
        if node.record.detector not in detectors:
            raise RootUnclear(f"{shown(node.path)} is {purpose}, and was read as something else")
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
    """A path with a leading `/`, for people."""
    return "/" + shown(path)


def reported(subject: str, version: str, prefix: str, evidence: Evidence, note: str) -> Fact:
    """A fact that no rule judges."""
    value = {"version": version, "prefix": prefix} if version else {"prefix": prefix}
    return Fact(subject, value, judged=False, evidence=(evidence,), note=note)

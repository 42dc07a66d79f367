"""The Conda of an image: the one its PATH reaches, else every one that is installed."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from policy.inspection.archive.names import shown
from policy.inspection.facts import Fact
from policy.inspection.image.merged_root import Node, RootUnclear
from policy.inspection.image.view import (
    Hit,
    ImageView,
    from_root,
    in_package_cache,
    joined,
    parent,
    reported,
)
from policy.inspection.layer.records import Record

_RECORD = {
    "conda": re.compile(rb"conda-[^-]+-[^-]+\.json"),
    "python": re.compile(rb"python-[^-]+-[^-]+\.json"),
}
FALLBACK = {"fallback": "path"}
"""Of a fact's value: PATH reaches no such program, and everything that is installed was taken instead."""
_META = b"conda-meta"
_META_LINK = re.compile(_META)


@dataclass(frozen=True, slots=True)
class Installed:
    """A record in a prefix's conda-meta, as the root shows it.

    Attributes:
        node: where its bytes are.
        file: name of the file it was found under.
        record: what was read.
    """

    node: Node
    file: bytes
    record: Record

    @property
    def version(self) -> str:
        """What it says."""
        return self.record.values.get("version", "")

    @property
    def is_broken(self) -> bool:
        """It could not be read."""
        return bool(self.record.trouble)

    @property
    def is_valid(self) -> bool:
        """Name, version and build agree with the file's name; Conda ignores a record where they do not."""
        said = [self.record.values.get(member, "") for member in ("name", "version", "build")]
        return not self.is_broken and "-".join(said) + ".json" == self.file.decode("latin-1")


def installed(look: ImageView, prefix: bytes, package: str) -> list[Installed]:
    """The records of a package in a prefix, by file name."""
    meta = look.root.find(joined(prefix, _META))
    if meta is None or not meta.is_directory:
        return []
    found = []
    for _, path in look.visible(_RECORD[package]):
        if parent(path) != meta.path:
            continue
        node = look.root.find(path)
        if node is not None and node.is_file:
            record = look.record_of(node, f"a record of {package}", "conda-record")
            found.append(Installed(node, path.rpartition(b"/")[2], record))
    if len(found) > look.budgets.prefix_records:
        raise RootUnclear(f"{shown(meta.path)} has more than {look.budgets.prefix_records} records of {package}")
    return found


def prefixes(look: ImageView) -> list[bytes]:
    """Every directory with a conda-meta that has a record of the package conda, package caches aside."""
    found = [parent(path) for _, path in look.visible(_RECORD["conda"]) if path.split(b"/")[-2:-1] == [_META]]
    found += [path for _, path in look.visible(_META_LINK)]
    homes = [parent(path) for path in found if not in_package_cache(path + b"/")]
    unique = list(dict.fromkeys(homes))
    if len(unique) > look.budgets.prefixes:
        raise RootUnclear(f"the image has more than {look.budgets.prefixes} directories with records of conda")
    return [home for home in unique if any(_counts(item) for item in installed(look, home, "conda"))]


def _counts(item: Installed) -> bool:
    return item.is_valid or item.is_broken


@dataclass(frozen=True, slots=True)
class Condas:
    """The base prefixes to judge.

    Attributes:
        prefixes: that of the conda which PATH reaches; without one, all there are.
        hit: what PATH reaches, if anything.
    """

    prefixes: tuple[bytes, ...]
    hit: Hit | None = None


def reached(look: ImageView) -> Condas:
    """The base prefixes to judge; none where PATH reaches a conda that nothing is known of.

    Raises:
        RootUnclear: what PATH reaches cannot be told.
    """
    hit = look.on_path(b"conda", "conda")
    if hit is not None:
        prefix = parent(parent(hit.node.path))
        known = b"/" in hit.node.path and any(_counts(item) for item in installed(look, prefix, "conda"))
        return Condas((prefix,) if known else (), hit)
    found = tuple(prefixes(look))
    if not found:
        look.missed("conda", "*/conda-meta/conda-*.json")
    return Condas(found)


def conda(look: ImageView, judged: Condas) -> list[Fact]:
    """One fact per record of conda in the judged prefixes: `{"version", "prefix", "record"}`, broken ones and those
    without a program without a version; `fallback` is `path` where PATH reaches no conda.
    """
    if judged.hit is not None and not judged.prefixes:
        return [_unknown(look, judged.hit)]
    return [fact for prefix in judged.prefixes for fact in _of_prefix(look, prefix, judged)]


def _of_prefix(look: ImageView, prefix: bytes, judged: Condas) -> Iterator[Fact]:
    lacking = _lacking(look, prefix, judged.hit)
    for item in installed(look, prefix, "conda"):
        value = {"prefix": from_root(prefix), "record": from_root(item.node.path)}
        value |= {} if judged.hit is not None else FALLBACK
        evidence = (look.seen(item.node, item.version),)
        if item.is_broken:
            note = f"{shown(item.node.path)} is broken: {item.record.trouble}"
            yield Fact("conda", value, evidence=evidence, note=note)
        elif item.is_valid and lacking:
            yield Fact("conda", value, evidence=evidence, note=lacking)
        elif item.is_valid:
            yield Fact("conda", {"version": item.version, **value}, evidence=evidence)


def _lacking(look: ImageView, prefix: bytes, hit: Hit | None) -> str:
    """Why a record of conda has no program to go with it; "" when it has."""
    if hit is None:
        none = f"{from_root(prefix)} has a record of conda and no bin/conda of its own that can be executed"
        return "" if _has_program(look, prefix) else none
    # A shell runs an empty file as a script without commands, whatever the record beside it says.
    return "" if hit.node.size else f"PATH reaches {shown(hit.node.path)}, which is empty: needs a program"


def _has_program(look: ImageView, prefix: bytes) -> bool:
    """Whether a prefix's own conda can be started; one that a link leads to in another prefix is that one's."""
    nodes = [look.view.follow(joined(prefix, name))[0] for name in (b"bin/conda", b"condabin/conda")]
    return any(
        node is not None and node.size and parent(parent(node.path)) == prefix and look.can_start(node)
        for node in nodes
    )


def _unknown(look: ImageView, hit: Hit) -> Fact:
    """The conda that PATH reaches, of which no record tells anything: a wrapper, or a program put there by hand."""
    value = {"prefix": from_root(parent(parent(hit.node.path))), "program": from_root(hit.node.path)}
    note = f"PATH reaches {shown(hit.node.path)}, and no record of conda lies in its prefix"
    return Fact("conda", value, evidence=(look.seen(hit.node, ""), *look.linked(hit.links)), note=note)


def other_condas(look: ImageView, judged: tuple[bytes, ...]) -> list[Fact]:
    """Records of conda that are reported only: other prefixes, package caches, ignored, deleted or replaced ones."""
    found = []
    metas = {meta.path for meta in (look.root.find(joined(prefix, _META)) for prefix in judged) if meta}
    for index, path in look.root.candidates(_RECORD["conda"]):
        record = look.root.tiers[index].records.get(path)
        if record is None:
            continue
        if not look.root.shows(index, path):
            found.append(_hidden(look, record, index, path))
        elif note := _aside(path, record, metas):
            evidence = look.recorded(record, index, record.values.get("version", ""))
            found.append(reported("conda", evidence.value, from_root(parent(parent(path))), evidence, note))
    return found


def _aside(path: bytes, record: Record, judged: set[bytes]) -> str:
    item = Installed(Node(path, b"f0", 0, record), path.rpartition(b"/")[2], record)
    if parent(path) in judged:
        return "" if _counts(item) else f"{shown(path)} does not agree with its own file name: Conda ignores it"
    if in_package_cache(path):
        return f"{shown(path)} lies in a package cache, which proves no installation"
    return f"{shown(path)} belongs to another prefix than the one judged"


def _hidden(look: ImageView, record: Record, index: int, path: bytes) -> Fact:
    evidence = look.hidden(record, index, path, record.values.get("version", ""))
    note = f"layer {evidence.shadowed_by} deletes or replaces {shown(path)} of layer {index}"
    return reported("conda", evidence.value, from_root(parent(parent(path))), evidence, note)

"""The Conda of an image: the one that PATH reaches, else every installed one."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from policy.inspection.archive.names import shown
from policy.inspection.facts import Fact
from policy.inspection.image.merged_root import Node, RootUnclear
from policy.inspection.image.script_start import python_prefix
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
"""Members of a fact's value when PATH reaches no such program, and all installed ones are judged instead."""
_META = b"conda-meta"
_META_LINK = re.compile(_META)


@dataclass(frozen=True, slots=True)
class Installed:
    """A record in the conda-meta of a prefix, as the root shows it.

    Attributes:
        node: the file with its bytes.
        file: its file name in conda-meta.
        record: the values read.
    """

    node: Node
    file: bytes
    record: Record

    @property
    def version(self) -> str:
        """The version in the record."""
        return self.record.values.get("version", "")

    @property
    def is_broken(self) -> bool:
        """Whether it could not be read."""
        return bool(self.record.trouble)

    @property
    def is_valid(self) -> bool:
        """Whether name, version and build agree with the file name; Conda ignores other records."""
        parts = [self.record.values.get(member, "") for member in ("name", "version", "build")]
        return not self.is_broken and "-".join(parts) + ".json" == self.file.decode("latin-1")


def installed(image: ImageView, prefix: bytes, package: str) -> list[Installed]:
    """The records of a package in a prefix, by file name."""
    meta = image.root.find(joined(prefix, _META))
    if meta is None or not meta.is_directory:
        return []
    records = []
    for _, path in image.visible(_RECORD[package]):
        if parent(path) != meta.path:
            continue
        node = image.root.find(path)
        if node is not None and node.is_file:
            record = image.record_of(node, f"a record of {package}", "conda-record")
            records.append(Installed(node, path.rpartition(b"/")[2], record))
    if len(records) > image.budgets.prefix_records:
        raise RootUnclear(f"{shown(meta.path)} has more than {image.budgets.prefix_records} records of {package}")
    return records


def prefixes(image: ImageView) -> list[bytes]:
    """Every prefix whose conda-meta has a record of the package conda, without package caches."""
    paths = [parent(path) for _, path in image.visible(_RECORD["conda"]) if path.split(b"/")[-2:-1] == [_META]]
    paths += [path for _, path in image.visible(_META_LINK)]
    homes = [parent(path) for path in paths if not in_package_cache(path + b"/")]
    unique = list(dict.fromkeys(homes))
    if len(unique) > image.budgets.prefixes:
        raise RootUnclear(f"the image has more than {image.budgets.prefixes} directories with records of conda")
    return [home for home in unique if any(_counts(item) for item in installed(image, home, "conda"))]


def _counts(item: Installed) -> bool:
    return item.is_valid or item.is_broken


@dataclass(frozen=True, slots=True)
class Condas:
    """The base prefixes to judge.

    Attributes:
        prefixes: the prefix of the conda that PATH reaches; all prefixes when PATH reaches none.
        hit: the program that PATH reaches, if any.
    """

    prefixes: tuple[bytes, ...]
    hit: Hit | None = None


def reached(image: ImageView) -> Condas:
    """The base prefixes to judge; none when PATH reaches a conda without a record.

    Raises:
        RootUnclear: it depends on the runtime what PATH reaches.
    """
    hit = image.on_path(b"conda", "conda")
    if hit is not None:
        prefix = _prefix_of(image, hit.node)
        has_record = b"/" in hit.node.path and any(_counts(item) for item in installed(image, prefix, "conda"))
        return Condas((prefix,) if has_record else (), hit)
    every_prefix = tuple(prefixes(image))
    if not every_prefix:
        image.missed("conda", "*/conda-meta/conda-*.json")
    return Condas(every_prefix)


def _prefix_of(image: ImageView, program: Node) -> bytes:
    """The prefix whose Conda a program is: that of the Python that starts the script, else its own.

    A prefix that was copied to another place still names the first one's Python, which imports the first one's Conda.

    Raises:
        RootUnclear: it cannot be told what starts it.
    """
    started = python_prefix(image, program)
    return parent(parent(program.path)) if started is None else started


def conda(image: ImageView, judged: Condas) -> list[Fact]:
    """One fact per record of conda in the judged prefixes: `{"version", "prefix", "record"}`.

    Broken records, and those without a program, have no version; `fallback` is `path` when PATH reaches no conda.
    """
    if judged.hit is not None and not judged.prefixes:
        return [_unknown(image, judged.hit)]
    return [fact for prefix in judged.prefixes for fact in _of_prefix(image, prefix, judged)]


def _of_prefix(image: ImageView, prefix: bytes, judged: Condas) -> Iterator[Fact]:
    lacking = _lacking(image, prefix, judged.hit)
    for item in installed(image, prefix, "conda"):
        value = {"prefix": from_root(prefix), "record": from_root(item.node.path)}
        value |= {} if judged.hit is not None else FALLBACK
        evidence = (image.seen(item.node, item.version),)
        if item.is_broken:
            note = f"{shown(item.node.path)} is broken: {item.record.trouble}"
            yield Fact("conda", value, evidence=evidence, note=note)
        elif item.is_valid and lacking:
            yield Fact("conda", value, evidence=evidence, note=lacking)
        elif item.is_valid:
            yield Fact("conda", {"version": item.version, **value}, evidence=evidence)


def _lacking(image: ImageView, prefix: bytes, hit: Hit | None) -> str:
    """Why a record of conda has no program; "" when it has one."""
    if hit is None:
        none = f"{from_root(prefix)} has a record of conda and no bin/conda of its own that can be executed"
        return "" if _has_program(image, prefix) else none
    # A shell runs an empty file as an empty script, whatever the record says.
    return "" if hit.node.size else f"PATH reaches {shown(hit.node.path)}, which is empty: needs a program"


def _has_program(image: ImageView, prefix: bytes) -> bool:
    """Whether the prefix has a conda of its own that starts; a link to another prefix does not count."""
    nodes = [image.view.follow(joined(prefix, name))[0] for name in (b"bin/conda", b"condabin/conda")]
    return any(
        node is not None and node.size and _prefix_of(image, node) == prefix and image.can_start(node) for node in nodes
    )


def _unknown(image: ImageView, hit: Hit) -> Fact:
    """The fact on a conda on PATH without a record: a wrapper, or a program copied by hand."""
    prefix = _prefix_of(image, hit.node)
    value = {"prefix": from_root(prefix), "program": from_root(hit.node.path)}
    whose = "its prefix" if prefix == parent(parent(hit.node.path)) else f"{from_root(prefix)}, whose Python starts it"
    note = f"PATH reaches {shown(hit.node.path)}, and no record of conda lies in {whose}"
    return Fact("conda", value, evidence=(image.seen(hit.node, ""), *image.linked(hit.links)), note=note)


def other_condas(image: ImageView, judged: tuple[bytes, ...]) -> list[Fact]:
    """Records of conda that are only reported: of other prefixes and package caches, ignored, deleted or replaced."""
    facts = []
    metas = {meta.path for meta in (image.root.find(joined(prefix, _META)) for prefix in judged) if meta}
    for index, path in image.root.candidates(_RECORD["conda"]):
        record = image.root.layers[index].records.get(path)
        if record is None:
            continue
        if not image.root.shows(index, path):
            facts.append(_hidden(image, record, index, path))
        elif note := _aside(path, record, metas):
            evidence = image.recorded(record, index, record.values.get("version", ""))
            facts.append(reported("conda", evidence.value, from_root(parent(parent(path))), evidence, note))
    return facts


def _aside(path: bytes, record: Record, judged: set[bytes]) -> str:
    item = Installed(Node(path, b"f0", 0, record), path.rpartition(b"/")[2], record)
    if parent(path) in judged:
        return "" if _counts(item) else f"{shown(path)} does not agree with its own file name: Conda ignores it"
    if in_package_cache(path):
        return f"{shown(path)} lies in a package cache, which proves no installation"
    return f"{shown(path)} belongs to another prefix than the one judged"


def _hidden(image: ImageView, record: Record, index: int, path: bytes) -> Fact:
    evidence = image.hidden(record, index, path, record.values.get("version", ""))
    note = f"layer {evidence.shadowed_by} deletes or replaces {shown(path)} of layer {index}"
    return reported("conda", evidence.value, from_root(parent(parent(path))), evidence, note)

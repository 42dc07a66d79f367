"""The operating system of an image's root, from os-release or lsb-release."""

import re
from collections.abc import Mapping

from policy.inspection.archive.names import shown
from policy.inspection.facts import Fact
from policy.inspection.image.merged_root import Node, RootUnclear
from policy.inspection.image.view import ImageView
from policy.inspection.layer.scan import SNIFF_LIMIT

OS_RELEASE = (b"etc/os-release", b"usr/lib/os-release")
LSB_RELEASE = b"etc/lsb-release"
_VERSION = re.compile(r"\d{1,18}(\.\d{1,18})*", re.ASCII)


def operating_system(image: ImageView) -> tuple[Fact, ...]:
    """At most one fact: `{"id", "version"}`, as far as they are known; none without an os-release.

    `version` is the text in the file: `12`, `16.04`, `testing/sid`; an empty one is left out.

    When the configuration names another system than Linux there is always a fact, with `config_os`: no runtime of Linux
    containers starts the image, whatever its files say.
    """
    released = _released(image)
    if image.config.os == "linux":
        return released
    name = repr(image.config.os) if image.config.os else "no operating system"
    note = f"the image's configuration names {name}: needs 'linux'"
    value = {**(released[0].value if released else {}), "config_os": image.config.os}
    return (Fact("os", value, evidence=released[0].evidence if released else (), note=note),)


def _released(image: ImageView) -> tuple[Fact, ...]:
    for path in OS_RELEASE:
        fact = _read(image, path, "ID", "VERSION_ID")
        if fact is not None:
            return (fact,)
    fact = _read(image, LSB_RELEASE, "DISTRIB_ID", "DISTRIB_RELEASE")
    return () if fact is None else (fact,)


def _read(image: ImageView, path: bytes, id_key: str, version_key: str) -> Fact | None:
    """The fact of one file; the first that the image's user can open counts, even when it names nothing."""
    node, links = image.view.follow(path)
    if node is not None and node.entry[:1] == b"o":
        raise RootUnclear(
            f"{shown(node.path)} is a device or FIFO: what reading it gives cannot be told", "runtime-path"
        )
    if node is None or not image.view.may_read(node):
        image.missed("os", shown(path))
        return None
    values, trouble = _values(image, node)
    name = values.get(id_key, "")
    name = name.lower() if id_key == "DISTRIB_ID" and name == "Ubuntu" else name
    version = values.get(version_key, "")
    value = {"id": name} if name else {}
    if version and not trouble:
        value["version"] = version
    note = trouble or _silence(shown(node.path), values, id_key, version_key)
    evidence = (image.seen(node, " ".join(item for item in (values.get(id_key, ""), version) if item)),)
    return Fact("os", value, evidence=evidence + image.linked(links), note=note)


def _silence(path: str, values: Mapping[str, str], *keys: str) -> str:
    """What a file lacks, as a clause; "" when it names a system and a comparable version."""
    absent = [key for key in keys if key not in values]
    if absent:
        return f"{path} names no {' and no '.join(absent)}"
    empty = [key for key in keys if not values[key]]
    if empty:
        return f"the {empty[0]} of {path} is empty"
    version = values[keys[-1]]
    if _VERSION.fullmatch(version):
        return ""
    return f"the {keys[-1]} of {path} is {version[:80]!r}: needs a number, or numbers joined by dots"


def _values(image: ImageView, node: Node) -> tuple[dict[str, str], str]:
    if node.record is None and node.size <= SNIFF_LIMIT:
        return {}, ""  # small files are searched for the keys, and this one has none
    record = image.record_of(node, "what the operating system is read from", "os-release")
    return dict(record.values), f"{shown(node.path)} cannot be read: {record.trouble}" if record.trouble else ""

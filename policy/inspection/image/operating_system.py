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


def operating_system(look: ImageView) -> tuple[Fact, ...]:
    """At most one fact: `{"id", "version"}` as far as they are known. Without an os-release there is none.

    `version` is the text of the file, whatever its form: `12`, `16.04`, `testing/sid`. An empty one is none.

    Where the image's configuration names another system than Linux there is always one, and it has `config_os` too:
    whatever the files say, no runtime of Linux containers starts the image.
    """
    found = _released(look)
    if look.config.os == "linux":
        return found
    name = repr(look.config.os) if look.config.os else "no operating system"
    note = f"the image's configuration names {name}: needs 'linux'"
    value = {**(found[0].value if found else {}), "config_os": look.config.os}
    return (Fact("os", value, evidence=found[0].evidence if found else (), note=note),)


def _released(look: ImageView) -> tuple[Fact, ...]:
    for path in OS_RELEASE:
        fact = _read(look, path, "ID", "VERSION_ID")
        if fact is not None:
            return (fact,)
    fact = _read(look, LSB_RELEASE, "DISTRIB_ID", "DISTRIB_RELEASE")
    return () if fact is None else (fact,)


def _read(look: ImageView, path: bytes, id_key: str, version_key: str) -> Fact | None:
    """The first file that the image's user can open is final, even when it says nothing."""
    node, links = look.view.follow(path)
    if node is not None and node.entry[:1] == b"o":
        raise RootUnclear(
            f"{shown(node.path)} is a device or FIFO: what reading it gives cannot be told", "runtime-path"
        )
    if node is None or not look.view.may_read(node):
        look.missed("os", shown(path))
        return None
    values, trouble = _values(look, node)
    name = values.get(id_key, "")
    name = name.lower() if id_key == "DISTRIB_ID" and name == "Ubuntu" else name
    version = values.get(version_key, "")
    value = {"id": name} if name else {}
    if version and not trouble:
        value["version"] = version
    note = trouble or _silence(shown(node.path), values, id_key, version_key)
    evidence = (look.seen(node, " ".join(item for item in (values.get(id_key, ""), version) if item)),)
    return Fact("os", value, evidence=evidence + look.linked(links), note=note)


def _silence(path: str, values: Mapping[str, str], *keys: str) -> str:
    """What a file does not say, as a clause; "" when it names a system and a version that can be compared."""
    absent = [key for key in keys if key not in values]
    if absent:
        return f"{path} names no {' and no '.join(absent)}"
    empty = [key for key in keys if not values[key]]
    if empty:
        return f"the {empty[0]} of {path} is empty"
    said = values[keys[-1]]
    if _VERSION.fullmatch(said):
        return ""
    return f"the {keys[-1]} of {path} is {said[:80]!r}: needs a number, or numbers joined by dots"


def _values(look: ImageView, node: Node) -> tuple[dict[str, str], str]:
    if node.record is None and node.size <= SNIFF_LIMIT:
        return {}, ""  # small files are searched for the keys: this one has none of them
    record = look.record_of(node, "what the operating system is read from", "os-release")
    return dict(record.values), f"{shown(node.path)} cannot be read: {record.trouble}" if record.trouble else ""

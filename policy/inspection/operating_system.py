"""The operating system of an image's root, from os-release or lsb-release."""

import re

from policy.facts import Fact
from policy.inspection.layers import SNIFF_LIMIT
from policy.inspection.look import Look
from policy.inspection.names import shown
from policy.inspection.root import Node, RootUnclear

OS_RELEASE = (b"etc/os-release", b"usr/lib/os-release")
LSB_RELEASE = b"etc/lsb-release"
_VERSION = re.compile(r"\d+(\.\d+)+", re.ASCII)


def operating_system(look: Look) -> tuple[Fact, ...]:
    """At most one fact: `{"id", "version"}` as far as they are known. Without an os-release there is none.

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


def _released(look: Look) -> tuple[Fact, ...]:
    for path in OS_RELEASE:
        fact = _read(look, path, "ID", "VERSION_ID")
        if fact is not None:
            return (fact,)
    fact = _read(look, LSB_RELEASE, "DISTRIB_ID", "DISTRIB_RELEASE")
    return () if fact is None else (fact,)


def _read(look: Look, path: bytes, id_key: str, version_key: str) -> Fact | None:
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
    note = trouble
    if not note and not name:
        note = f"{shown(node.path)} names no {id_key}"
    if _VERSION.fullmatch(version) and not trouble:
        value["version"] = version
    elif not note:
        said = f"has {version_key} {version[:80]!r}" if version_key in values else f"names no {version_key}"
        note = f"{shown(node.path)} {said}: needs numbers with dots"
    evidence = (look.seen(node, " ".join(item for item in (values.get(id_key, ""), version) if item)),)
    return Fact("os", value, evidence=evidence + look.linked(links), note=note)


def _values(look: Look, node: Node) -> tuple[dict[str, str], str]:
    if node.record is None and node.size <= SNIFF_LIMIT:
        return {}, ""  # small files are searched for the keys: this one has none of them
    record = look.record_of(node, "what the operating system is read from", "os-release")
    return dict(record.values), f"{shown(node.path)} cannot be read: {record.trouble}" if record.trouble else ""

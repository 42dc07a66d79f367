"""Paths that the image's User may not use in a Conda prefix: reported, so that advice can name what to permit."""

from collections.abc import Iterable, Iterator

from policy.inspection.facts import Fact
from policy.inspection.image.merged_root import Node, RootUnclear
from policy.inspection.image.process_root import View
from policy.inspection.image.view import ImageView, from_root, joined, parent
from policy.inspection.layer.permissions import Identity

_PROGRAMS = (("conda", b"bin/conda"), ("python", b"bin/python"))


def denials(image: ImageView, prefixes: Iterable[bytes]) -> list[Fact]:
    """One fact `{"denied", "user", "prefix"}` per directory or program that root could use and the User cannot.

    Inside a prefix only the first one: permitting it covers everything below.
    """
    if image.view.identity.is_root:
        return []
    try:
        return list(_denials(image, prefixes))
    except RootUnclear:
        return []  # reported by the lookup of the programs themselves


def _denials(image: ImageView, prefixes: Iterable[bytes]) -> Iterator[Fact]:
    everything = View(image.root, Identity())
    for prefix in prefixes:
        for subject, name in _PROGRAMS:
            node = everything.follow(joined(prefix, name))[0]
            if node is None or not everything.may_execute(node):
                continue
            for path in _obstacles(image, node):
                value = {"denied": from_root(path), "user": image.config.user, "prefix": from_root(prefix)}
                note = f"the image's User {image.config.user[:80]!r} may not use {from_root(path)}"
                yield Fact(subject, value, judged=False, note=note)
                if f"{from_root(path)}/".startswith(f"{from_root(prefix)}/"):
                    break


def _obstacles(image: ImageView, program: Node) -> Iterator[bytes]:
    """The directories above a program that may not be searched, and the program if it may not be started."""
    above: list[bytes] = []
    path = program.path
    while path := parent(path):
        above.append(path)
    for directory in reversed(above):
        node = image.root.node_at(directory)
        if node is not None and not image.view.may_search(node):
            yield directory
    if not image.view.may_execute(program) or not image.view.may_read(program):
        yield program.path

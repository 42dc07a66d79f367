"""What keeps the image's User from the programs of a Conda prefix: reported, so that advice can name what to permit."""

from collections.abc import Iterable, Iterator

from policy.inspection.facts import Fact
from policy.inspection.image.merged_root import Node, RootUnclear
from policy.inspection.image.process_root import View
from policy.inspection.image.view import ImageView, from_root, joined, parent
from policy.inspection.layer.permissions import Identity

_PROGRAMS = (("conda", b"bin/conda"), ("python", b"bin/python"))


def denials(look: ImageView, prefixes: Iterable[bytes]) -> list[Fact]:
    """One fact `{"denied", "user", "prefix"}` per directory or program that root could use and the User cannot.

    Inside a prefix the first one only: whoever opens it opens what lies below.
    """
    if look.view.identity.is_root:
        return []
    try:
        return list(_denials(look, prefixes))
    except RootUnclear:
        return []  # said where the programs themselves are looked up


def _denials(look: ImageView, prefixes: Iterable[bytes]) -> Iterator[Fact]:
    everything = View(look.root, Identity())
    for prefix in prefixes:
        for subject, name in _PROGRAMS:
            node = everything.follow(joined(prefix, name))[0]
            if node is None or not everything.may_execute(node):
                continue
            for path in _obstacles(look, node):
                value = {"denied": from_root(path), "user": look.config.user, "prefix": from_root(prefix)}
                note = f"the image's User {look.config.user[:80]!r} may not use {from_root(path)}"
                yield Fact(subject, value, judged=False, note=note)
                if f"{from_root(path)}/".startswith(f"{from_root(prefix)}/"):
                    break


def _obstacles(look: ImageView, program: Node) -> Iterator[bytes]:
    """The directories above a program that may not be searched, and the program where it may not be started."""
    above: list[bytes] = []
    path = program.path
    while path := parent(path):
        above.append(path)
    for directory in reversed(above):
        node = look.root.at(directory)
        if node is not None and not look.view.may_search(node):
            yield directory
    if not look.view.may_execute(program) or not look.view.may_read(program):
        yield program.path

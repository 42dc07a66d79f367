"""The Python that starts a script, by its first line."""

import re

from policy.inspection.archive.names import shown
from policy.inspection.image.env_line import EnvUnclear, program_of
from policy.inspection.image.merged_root import Node, RootUnclear
from policy.inspection.image.view import ImageView, joined, parent

_PYTHON = re.compile(rb"(?:python|pypy)[0-9.]*[a-z]{0,4}(?:[._-].*)?", re.DOTALL)
_ENV = b"env"


def python_prefix(image: ImageView, script: Node) -> bytes | None:
    """The prefix of the Python that starts a script; `None` when another program does, or nothing.

    Raises:
        RootUnclear: `env` starts what cannot be told.
    """
    values = script.record.values if script.record is not None else {}
    if values.get("format") != "script" or "starter" not in values:
        return None
    named = values["starter"].encode("latin-1")
    starter = image.starter(named)
    if starter is None:
        return None
    if _name(named) == _ENV and not _PYTHON.fullmatch(_name(starter.path)):
        return _started_by_env(image, script, values.get("argument", ""))
    return _prefix(image, named, starter)


def _started_by_env(image: ImageView, script: Node, argument: str) -> bytes | None:
    try:
        program = program_of(argument).encode("latin-1")
    except EnvUnclear as error:
        needed = "needs the path of a Python in the first line"
        raise RootUnclear(f"{shown(script.path)} is started by env, which {error}: {needed}") from None
    if b"/" in program:
        named, node = program, image.starter(program)
    else:
        hit = image.on_path(program, "conda")
        named, node = (program, None) if hit is None else (b"/" + hit.path, hit.node)
    if node is None:
        return None
    image.record_of(node, f"what env starts for {shown(script.path)}", "interpreter", "launcher")
    return _prefix(image, named, node)


def _prefix(image: ImageView, named: bytes, node: Node) -> bytes | None:
    """A Python is at home where its links end, but for a virtual environment (PEP 405)."""
    if not (_PYTHON.fullmatch(_name(named)) or _PYTHON.fullmatch(_name(node.path))):
        return None
    folder = image.starter(parent(named) or (b"/" if named.startswith(b"/") else b"."))
    place = parent(node.path) if folder is None else folder.path
    beside = (joined(place, b"pyvenv.cfg"), joined(parent(place), b"pyvenv.cfg"))
    if not any(image.root.find(path) for path in beside):
        place = parent(node.path)
    return parent(place) if _name(place) == b"bin" else None


def _name(path: bytes) -> bytes:
    return path.rpartition(b"/")[2]

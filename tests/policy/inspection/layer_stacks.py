"""Random stacks of layers over a few names, so that entries meet, hide, replace and link one another."""

import io
import itertools
from collections.abc import Iterable, Sequence

from hypothesis import strategies as st

from policy.inspection.image.merged_root import MergedRoot
from policy.inspection.layer.report import LayerInspection
from policy.inspection.layer.scan import scan_layer
from tests.corpus.builders import TAR, layer
from tests.corpus.tarballs import (
    Entry,
    device,
    file,
    folder,
    hard_link,
    link,
    opaque,
    program,
    whiteout,
)

NAMES = ("a", "b", "os-release")
PATHS = ["/".join(parts) for depth in (1, 2, 3) for parts in itertools.product(NAMES, repeat=depth)]
paths = st.sampled_from(PATHS)
directories = st.sampled_from([path for path in PATHS if path.count("/") < 2])
targets = st.builds(lambda front, path: front + path, st.sampled_from(["", "/", "../", "./", "../../"]), paths)
Stack = list[list[Entry]]


def entries(*, links: bool) -> st.SearchStrategy[Entry]:
    """One member of a layer; its body is made unique later."""
    made = [
        st.builds(file, paths),
        st.builds(file, paths),
        st.builds(program, paths),
        st.builds(folder, directories),
        st.builds(whiteout, paths),
        st.builds(opaque, directories),
        st.builds(hard_link, paths, paths, st.sampled_from([0o644, 0o755])),
        st.builds(device, paths),
    ]
    return st.one_of(*made, *([st.builds(link, paths, targets)] if links else []))


def stacks(*, links: bool = True) -> st.SearchStrategy[Stack]:
    """One to four layers of up to seven members; every file has a content of its own."""
    layers = st.lists(entries(links=links), max_size=7)
    return st.lists(layers, min_size=1, max_size=4).map(_told_apart)


def _told_apart(stack: Stack) -> Stack:
    number = itertools.count()
    return [
        [entry.but(body=f"VERSION_ID={next(number)}\n".encode()) if entry.kind == "0" else entry for entry in entries]
        for entries in stack
    ]


def inspected(stack: Sequence[Sequence[Entry]]) -> list[LayerInspection]:
    """Every layer, looked into, and through its stored form."""
    found = []
    for entries in stack:
        made = layer(*entries, media_type=TAR)
        result = scan_layer(io.BytesIO(made.blob), str(made.digest))
        found.append(LayerInspection.from_bytes(result.to_bytes()))
    return found


def everything(
    root: MergedRoot, layers: Sequence[LayerInspection], more: Iterable[str] = ()
) -> dict[str, tuple[str, str]]:
    """Path -> kind and content of all that a root shows at known paths and `more`, directories aside."""
    known = {path for layer in root.layers for path in layer.records}
    known |= {path for layer in layers for path, _ in layer.table}
    places = known | {path.encode() for path in (*PATHS, *more)}
    found = {}
    for path in sorted(places):
        node = root.node_at(path)
        if node is None or node.is_directory:
            continue
        kind = {b"f": "file", b"x": "program", b"l": "link"}.get(node.entry[:1], "device")
        content = node.entry[1:].decode() if kind == "link" else ""
        if node.is_file:
            content = f"VERSION_ID={node.record.values['VERSION_ID']}\n" if node.record else "?"
        found[path.decode()] = (kind, content)
    return found

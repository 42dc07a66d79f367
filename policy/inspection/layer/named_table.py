"""Compares a manifest's annotations on a table of contents with the layer's own table.

podman reads the table that the descriptor's annotations name; containerd passes the annotations below
`containerd.io/snapshot/` to its snapshotter, which may then read the layer without unpacking its tar.
Sources: container-libs storage `pkg/chunked`, stargz-snapshotter `estargz/types.go`.
"""

from collections.abc import Mapping

from policy.inspection.layer.contents_table import ZSTD_CHUNKED, ContentsTable
from policy.inspection.layer.report import LayerInspection
from registry.oci.descriptor import Descriptor

REASON = "contents-table"
TOC_DIGEST = "containerd.io/snapshot/stargz/toc.digest"
UNCOMPRESSED_SIZE = "io.containers.estargz.uncompressed-size"
_FEATURE = "containerd.io/snapshot/stargz/feature"
_CHUNKED = ("io.github.containers.zstd-chunked.", "io.containers.zstd-chunked.")
_SNAPSHOT = "containerd.io/snapshot/"
_NAMING = (*_CHUNKED, _SNAPSHOT, UNCOMPRESSED_SIZE)
_UNREAD = frozenset({"tarsplit-checksum"})
_ADVICE = "push the layer again, compressed as plain gzip or zstd"
_READERS = "podman and snapshotters that read the table instead of the tar would start something else"


def table_annotations(annotations: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    """The annotations that name a table or are passed to a snapshotter, sorted."""
    if not annotations:
        return ()
    return tuple(sorted(item for item in annotations.items() if item[0].startswith(_NAMING)))


def unlike_table(descriptor: Descriptor, layer: LayerInspection) -> tuple[str, str] | None:
    """Why the layer's table cannot be trusted, as reason and message; `None` when it can.

    Args:
        descriptor: of the layer, in the manifest.
        layer: its inspection.
    """
    table = layer.contents_table
    if table is not None and table.disagreement:
        message = f"its table of contents ({table.kind}) does not agree with its tar: {table.disagreement}"
        return REASON, f"{message}; {_READERS}: {_ADVICE}"
    for name, value in table_annotations(descriptor.annotations):
        if not _fits(name, value, table, layer):
            has = "no table of contents" if table is None else f"another table of contents ({table.kind})"
            message = f"the manifest's annotation {name[:128]} is {value[:128]!r}, but the layer has {has}"
            return REASON, f"{message}: needs annotations that name the layer's own, or none; {_ADVICE}"
    return None


def _fits(name: str, value: str, table: ContentsTable | None, layer: LayerInspection) -> bool:
    if name == UNCOMPRESSED_SIZE:
        return value == str(layer.uncompressed)
    if name == _FEATURE:
        return True
    if table is None:
        return False
    if name == TOC_DIGEST:
        return value == table.digest
    word = next((name.removeprefix(prefix) for prefix in _CHUNKED if name.startswith(prefix)), "")
    return table.kind == ZSTD_CHUNKED and (word in _UNREAD or value == _named(word, table, layer))


def _named(word: str, table: ContentsTable, layer: LayerInspection) -> str | None:
    """The right value of an annotation of zstd:chunked; `None` for an unknown one."""
    return {
        "manifest-checksum": table.packed_digest,
        "manifest-position": f"{table.offset}:{table.length}:{table.unpacked}:1",
        "tarsplit-position": table.tar_split,
        "uncompressed-digest": layer.diff_id,
    }.get(word)

"""Extended attributes of a member that change what a runtime's file system shows.

Overlay file systems keep notes of their own in attributes (kernel documentation, "Overlay Filesystem":
`trusted.overlay.*`, `user.overlay.*`; fuse-overlayfs: `user.fuseoverlayfs.*`; containers/storage: `user.containers.*`).
docker and podman write those of a layer to disk, containerd drops some. Access control lists extend the mode bits.
"""

from collections.abc import Iterator, Mapping
from urllib.parse import unquote_to_bytes

from policy.inspection.archive.names import shown
from policy.inspection.budgets import LayerRefused

_SCHILY = b"SCHILY.xattr."
_LIBARCHIVE = b"LIBARCHIVE.xattr."
_RUNTIMES_OWN = (b"user.fuseoverlayfs.", b"user.containers.")
_LISTS = b"system.posix_acl_"
_CAPABILITY = b"security.capability"


def attribute_names(pax: Mapping[bytes, bytes]) -> Iterator[bytes]:
    """The names of the extended attributes among the records of an extended header."""
    for key in pax:
        if key.startswith(_SCHILY):
            yield key[len(_SCHILY) :]
        elif key.startswith(_LIBARCHIVE):
            yield unquote_to_bytes(key[len(_LIBARCHIVE) :])


def refuse_overlay_attributes(pax: Mapping[bytes, bytes], path: bytes) -> None:
    """Refuse attributes with which file systems of runtimes mark deleted, moved or hidden files.

    Raises:
        LayerRefused: there is one.
    """
    for name in attribute_names(pax):
        if b".overlay." in name or name.startswith(_RUNTIMES_OWN):
            raise LayerRefused(
                "overlay-attribute",
                f"member {shown(path)!r} carries the extended attribute {shown(name)!r}: some runtimes obey it and "
                "others drop it",
            )


def has_capabilities(pax: Mapping[bytes, bytes]) -> bool:
    """Whether the member has file capabilities."""
    return _CAPABILITY in attribute_names(pax)


def has_access_list(pax: Mapping[bytes, bytes]) -> bool:
    """Whether the member has an access control list."""
    return any(name.startswith(_LISTS) for name in attribute_names(pax))

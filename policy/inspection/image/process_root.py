"""An image's root as its programs see it: with their user's permissions and the mounts of runtimes."""

from collections.abc import Sequence
from functools import cached_property

from policy.inspection.archive.names import shown
from policy.inspection.image.ambiguous_links import landing
from policy.inspection.image.merged_root import ROOT, MergedRoot, Node, RootUnclear
from policy.inspection.layer.permissions import EXECUTE, READ, Identity

MOUNTED = frozenset({b"proc", b"sys", b"dev", b"run", b"etc/hosts", b"etc/hostname", b"etc/resolv.conf", b".dockerenv"})
"""Paths that runtimes mount over (runtime-spec config-linux.md; docker's and podman's files; containerd mounts /run,
podman its contents)."""
_DIRECTORIES = (b"proc/", b"sys/", b"dev/", b"run/")
_INITIALISED = b"etc"


def is_mounted_over(path: bytes) -> bool:
    """Whether a mount hides this path from the image's programs."""
    return path.startswith(_DIRECTORIES) or path in MOUNTED


def mounted_places(root: MergedRoot) -> frozenset[bytes]:
    """The mount points, and the targets of those that are links in the image."""
    links = [path for path in MOUNTED if (node := root.node_at(path)) is not None and node.is_link]
    return MOUNTED | {landing(root, path) for path in links} if links else MOUNTED


def _target(link: Node) -> bytes:
    return link.entry[1:]


class View:
    """The root as one identity sees it.

    Args:
        root: of the image.
        identity: the user and groups.
        made: the image's WorkingDir and volumes. Runtimes create WorkingDir, and missing parents, when it does not
            exist; docker and podman the volumes and /etc as well.
    """

    def __init__(self, root: MergedRoot, identity: Identity, made: Sequence[bytes] = ()) -> None:
        self.root = root
        self._may_be_made = (*made, _INITIALISED)
        self.identity = identity
        self._mounted = mounted_places(root)

    def follow(self, path: bytes, start: Node = ROOT) -> tuple[Node | None, tuple[Node, ...]]:
        """The node that a path resolves to, and the links on the way; `None` also when permission is missing.

        Raises:
            RootUnclear: the path leads to a place that only a runtime knows.
        """
        node, links = self.root.follow(path, start, self)
        climbs = node is None and any(b".." in text.split(b"/") for text in (path, *map(_target, links)))
        if climbs and self._made is not None:
            raise RootUnclear(
                f"whether {shown(path)!r} is there depends on the directories that runtimes make for WorkingDir, "
                f"Volumes and /etc ({shown(self._made)!r})",
                "unclear-path",
            )
        return node, links

    @cached_property
    def _made(self) -> bytes | None:
        """The first directory that some runtime makes."""
        return next((path for path in self._may_be_made if self.root.follow(path)[0] is None), None)

    def may_execute(self, node: Node) -> bool:
        """Whether the identity may execute a file."""
        return self._may(EXECUTE, node)

    def may_read(self, node: Node) -> bool:
        """Whether the identity may read a file."""
        return self._may(READ, node)

    def _may(self, wanted: int, node: Node) -> bool:
        if not node.is_file:
            return False
        if self.identity.is_root:
            return wanted == READ or node.is_executable
        self._refuse_access_lists()
        return self.identity.may(wanted, self.root.access_of(node))

    def may_search(self, directory: Node) -> bool:
        """Whether the identity may look names up in a directory."""
        if self.identity.is_root:
            return True
        self._refuse_access_lists()
        access, disputed = self.root.access_of_directory(directory.path)
        if disputed:
            raise RootUnclear(f"{disputed}: runtimes disagree on who may search it", "unclear-user")
        return self.identity.may(EXECUTE, access, directory=True)

    def reaches(self, path: bytes, node: Node | None, directory: Node) -> None:
        """Refuse mount points, and links that are followed on some hosts only."""
        if path in self._mounted:
            raise RootUnclear(
                f"/{shown(path)} is what the runtime puts there, not the image: what stands there cannot be told",
                "runtime-path",
            )
        if node is None or not node.is_link:
            return
        if path == _INITIALISED:
            raise RootUnclear(
                "/etc is a symbolic link: docker replaces it by a directory of its own, others follow it",
                "runtime-path",
            )
        self._refuse_foreign_link(node, directory)

    def _refuse_foreign_link(self, link: Node, directory: Node) -> None:
        around, _ = self.root.access_of_directory(directory.path)
        if not around.is_sticky_for_all:
            return
        owner = self.root.access_of(link).uid
        if owner not in {self.identity.uid, around.uid}:
            raise RootUnclear(
                f"{shown(link.path)} is a link in a sticky directory and belongs to user {owner}: whether it is "
                "followed is a setting of the host (fs.protected_symlinks)",
                "unclear-link",
            )

    def _refuse_access_lists(self) -> None:
        for index, layer in enumerate(self.root.layers):
            if layer.access_list:
                raise RootUnclear(
                    f"layer {index} has access control lists (first on {shown(layer.access_list)}), and the image's "
                    "User is not root: runtimes disagree on whether they keep them",
                    "unclear-user",
                )

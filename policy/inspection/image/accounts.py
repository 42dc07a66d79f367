"""The user and groups of an image's programs: the `User` of the configuration, looked up in the image (config.md).

runc's library, used by docker and podman, and containerd read the same files. They differ when `User` names a group:
containerd then keeps the user's supplementary groups, docker and podman do not.
"""

from dataclasses import dataclass

from policy.inspection.archive.names import shown
from policy.inspection.image.merged_root import MergedRoot, Node, RootUnclear, Viewer
from policy.inspection.layer.permissions import Identity

_PASSWD, _GROUP = b"etc/passwd", b"etc/group"
_LARGEST = 2**31 - 1


@dataclass(frozen=True, slots=True)
class _Row:
    """A line of passwd or group."""

    name: str
    number: int
    rest: str


def identities(root: MergedRoot, viewer: Viewer, user: str) -> tuple[Identity, ...]:
    """The identities that runtimes give to a `User`: one, or two when they disagree.

    Args:
        root: the image's root.
        viewer: looks paths up as the runtime does.
        user: `NAME`, `UID`, `NAME:GROUP`, `UID:GID` or a mixture; "" for root.

    Raises:
        RootUnclear: the user or group is not in the image, or the files cannot be read.
    """
    name, colon, group = user.partition(":")
    if not name and not group:
        return (Identity(),)
    if ":" in group or (colon and not (name and group)):
        raise _unclear(user, "needs NAME, UID, NAME:GROUP or UID:GID")
    row = _named_user(root, viewer, user, name)
    if row.number == 0:
        return (Identity(),)
    members = _groups_of(root, viewer, row.name) if row.name else frozenset[int]()
    if not group:
        return (Identity(row.number, members | {_number(user, row.rest or "0")}),)
    chosen = _chosen_group(root, viewer, user, group)
    both = (Identity(row.number, frozenset({chosen})), Identity(row.number, members | {chosen}))
    return both[:1] if both[0] == both[1] else both


def _named_user(root: MergedRoot, viewer: Viewer, user: str, name: str) -> _Row:
    if not name.isascii() or not name.isdigit():
        if name[:1] in {"+", "-"} and name[1:].isdigit():
            raise _unclear(user, "runtimes read a number with a sign differently")
        rows = [row for row in _rows(root, viewer, _PASSWD) if row.name == name]
        if not rows and name == "root":
            return _Row("root", 0, "0")
        if not rows:
            raise _unclear(user, f"etc/passwd of the image has no user {name[:80]!r}")
        return _checked(user, rows[0])
    number = _number(user, name)
    rows = [row for row in _rows(root, viewer, _PASSWD) if row.number == number] if number else []
    return _checked(user, rows[0]) if rows else _Row("", number, "0")


def _checked(user: str, row: _Row) -> _Row:
    if row.number < 0 or not row.rest.isdigit():
        raise _unclear(user, f"the line of {row.name[:80]!r} in etc/passwd has no numbers for user and group")
    return row


def _chosen_group(root: MergedRoot, viewer: Viewer, user: str, group: str) -> int:
    if group.isascii() and group.isdigit():
        return _number(user, group)
    rows = [row for row in _rows(root, viewer, _GROUP) if row.name == group]
    if not rows or rows[0].number < 0:
        raise _unclear(user, f"etc/group of the image has no group {group[:80]!r} with a number")
    return rows[0].number


def _groups_of(root: MergedRoot, viewer: Viewer, name: str) -> frozenset[int]:
    """The groups that list a user among their members."""
    return frozenset(
        row.number for row in _rows(root, viewer, _GROUP) if name in row.rest.split(",") and row.number >= 0
    )


def _rows(root: MergedRoot, viewer: Viewer, path: bytes) -> list[_Row]:
    node = root.follow(path, viewer=viewer)[0]
    if node is None:
        return []
    values = _values(node, path)
    rows = [values[key].split(":", 2) for key in sorted(values, key=int)]
    return [_Row(name, int(number) if _is_number(number) else -1, rest) for name, number, rest in rows]


def _values(node: Node, path: bytes) -> dict[str, str]:
    record = node.record
    if not node.is_file or record is None or record.detector != "accounts" or record.trouble:
        reason = f": {record.trouble}" if record and record.trouble else ""
        raise RootUnclear(
            f"{shown(path)} cannot be read{reason}, and the image's User is looked up in it", "unclear-user"
        )
    return dict(record.values)


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= 10


def _number(user: str, text: str) -> int:
    if not _is_number(text) or int(text) > _LARGEST:
        raise _unclear(user, f"{text[:40]!r} is no number of a user or group")
    return int(text)


def _unclear(user: str, why: str) -> RootUnclear:
    return RootUnclear(f"the configuration's User is {user[:80]!r}: {why}", "unclear-user")

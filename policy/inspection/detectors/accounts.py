"""Detector `accounts`: the users and groups of `etc/passwd` and `etc/group` (passwd(5), group(5))."""

from collections.abc import Mapping

from policy.inspection.detectors.detector import Detector, Unreadable

LIMIT = 256 * 1024
LINES = 5000


def read(body: bytes) -> Mapping[str, str]:
    """`{"0": "root:0:0", "1": "staff:50:ann,bob"}`: name, third and fourth field of each line, in the file's order.

    The third field is the uid or gid; the fourth a user's group, or a group's members.

    Raises:
        Unreadable: more than 5,000 lines.
    """
    lines = [line.strip() for line in body.decode("utf-8", "replace").split("\n")]
    rows = [line.split(":") for line in lines if line]
    if len(rows) > LINES:
        raise Unreadable(f"it has more than {LINES} lines")
    return {str(index): ":".join([row[0], *[*row[2:4], "", ""][:2]]) for index, row in enumerate(rows)}


ACCOUNTS = Detector("accounts", 1, rb"passwd|group", read, parent=b"etc", limit=LIMIT)

"""Who runs a command, as the operating system has it."""

import os
import pwd
from pathlib import Path

_LOGIN = Path("/proc/self/loginuid")
_UNSET = 0xFFFFFFFF


def operator_name() -> str:
    """`ann`, or `root (signed in as ann)` where somebody has become another; a number for a user without a name.

    The user that somebody signed in as is what the kernel keeps for its own audit (`/proc/self/loginuid`, proc(5)).
    """
    user, login = os.getuid(), _login()
    name = _name(user)
    return name if login in {user, _UNSET} else f"{name} (signed in as {_name(login)})"


def _login() -> int:
    try:
        return int(_LOGIN.read_bytes())  # no codec is imported: its file may not be readable any more
    except (OSError, ValueError):
        return _UNSET


def _name(user: int) -> str:
    try:
        return pwd.getpwuid(user).pw_name
    except KeyError:
        return f"user {user}"

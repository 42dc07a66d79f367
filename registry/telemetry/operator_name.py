"""The operating system's name of the user who runs a command."""

import os
import pwd
from pathlib import Path

_LOGIN = Path("/proc/self/loginuid")
_UNSET = 0xFFFFFFFF


def operator_name() -> str:
    """`ann`, or `root (signed in as ann)` after a change of user; `user 1000` without a name.

    The kernel keeps the user of the login for its own audit (`/proc/self/loginuid`, proc(5)).
    """
    user, login = os.getuid(), _login()
    name = _name(user)
    return name if login in {user, _UNSET} else f"{name} (signed in as {_name(login)})"


def _login() -> int:
    try:
        return int(_LOGIN.read_bytes())  # bytes: importing a codec may fail once its file is unreadable
    except (OSError, ValueError):
        return _UNSET


def _name(user: int) -> str:
    try:
        return pwd.getpwuid(user).pw_name
    except KeyError:
        return f"user {user}"

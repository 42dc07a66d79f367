"""The sandbox of an inspection worker: the rights that it drops before it reads untrusted bytes."""

import ctypes
import os
import resource
import signal
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

_STATUS = Path("/proc/self/status")
_PR_SET_PDEATHSIG = 1
_PR_SET_DUMPABLE = 4
_PR_SET_NO_NEW_PRIVS = 38
_CLONE_NEWUSER = 0x10000000
_CLONE_NEWNET = 0x40000000
_DENIED = ("socket.connect", "socket.bind", "socket.__new__", "subprocess.", "os.exec", "os.fork", "os.posix_spawn")
_DENIED_TOO = ("os.system", "os.remove", "os.rename", "os.mkdir", "os.link", "os.symlink", "os.chmod", "os.kill")
_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
_CPU_MARGIN = 30


class Confined(PermissionError):
    """The worker tried something that inspecting a layer never needs."""


def confine(memory_bytes: int) -> None:
    """Restrict this process for good: no network, no programs, no files written, bounded memory.

    The kernel enforces it as far as it allows (an unprivileged container may not create namespaces); in any case the
    audit hook refuses the same inside the interpreter.
    """
    _kernel_flags()
    limits = {
        resource.RLIMIT_AS: memory_bytes,
        resource.RLIMIT_FSIZE: 0,
        resource.RLIMIT_CORE: 0,
        resource.RLIMIT_NOFILE: 32,
    }
    for kind, value in limits.items():
        hard = resource.getrlimit(kind)[1]
        wanted = value if hard == resource.RLIM_INFINITY else min(value, hard)
        resource.setrlimit(kind, (wanted, wanted))
    sys.addaudithook(_refuse)


def allow_cpu(seconds: float) -> None:
    """Allow the next layer its processor seconds and a margin; beyond them the kernel kills the process."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    hard = resource.getrlimit(resource.RLIMIT_CPU)[1]
    wanted = int(used.ru_utime + used.ru_stime + seconds) + _CPU_MARGIN
    resource.setrlimit(resource.RLIMIT_CPU, (wanted if hard == resource.RLIM_INFINITY else min(wanted, hard), hard))


def memory_used() -> int:
    """The peak resident size of this process in bytes; 0 when it is unknown."""
    # Not ru_maxrss: it starts at the peak of the parent process.
    with suppress(OSError), _STATUS.open("rb") as status:
        peak = next((line for line in status if line.startswith(b"VmHWM:")), b"VmHWM: 0 kB")
        return int(peak.split()[1]) * 1024
    return 0


def _kernel_flags() -> None:
    library = ctypes.CDLL(None, use_errno=True)
    library.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    library.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    library.prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)
    if library.unshare(_CLONE_NEWNET) != 0:
        library.unshare(_CLONE_NEWUSER | _CLONE_NEWNET)


def _refuse(event: str, arguments: tuple[Any, ...]) -> None:
    if event.startswith(_DENIED) or event in _DENIED_TOO:
        raise Confined(f"an inspection worker may not use {event}")
    if event == "open" and isinstance(arguments[2], int) and arguments[2] & _WRITING:
        raise Confined(f"an inspection worker may not write to {arguments[0]!r}")

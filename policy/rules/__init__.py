"""Facts -> findings. One file per rule; a new rule is one file and one entry in `RULES`."""

from policy.rules.conda_version import CondaVersion
from policy.rules.os_version import OsVersion
from policy.rules.posix_shell import PosixShell
from policy.rules.python_version import PythonVersion
from policy.rules.rule import Rule

RULES: tuple[type[Rule], ...] = (OsVersion, CondaVersion, PythonVersion, PosixShell)

__all__ = ["RULES", "Rule"]

"""Rule `posix-shell`: there is a shell at the named path."""

from typing import Annotated, ClassVar

from pydantic import Field

from policy.inspection.facts import Fact
from policy.rules.rule import Rule


class PosixShell(Rule):
    """`path` resolves to an executable file in the merged image."""

    name: ClassVar[str] = "posix-shell"
    subject: ClassVar[str] = "shell"
    thing: ClassVar[str] = "shell"

    path: Annotated[str, Field(pattern=r"^/[^\s]+$", description="where the shell is expected, from the root")]

    @property
    def needs(self) -> str:
        """`an executable file at /bin/sh`."""
        return f"an executable file at {self.path}"

    @property
    def fix(self) -> str:
        """An installation."""
        return f"install a POSIX shell so that {self.path} is an executable file"

    def describe(self, fact: Fact) -> str:
        """`shell /bin/sh`."""
        return f"shell /{fact.value.get('path', '').lstrip('/')}"

    def judge(self, fact: Fact) -> str:
        """A shell elsewhere."""
        elsewhere = fact.value.get("path", "").lstrip("/") != self.path.lstrip("/")
        return f"only {self.describe(fact)} found" if elsewhere else ""

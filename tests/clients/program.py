"""Running a client program: its exit code and what it printed, in one value."""

import os
import re
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

TIMEOUT_SECONDS = 240
REFUSAL = re.compile("error|fatal|denied|unauthorized|forbidden|fail|not cleared", re.IGNORECASE)


@dataclass(frozen=True)
class Outcome:
    """How a program ended.

    Attributes:
        command: what was run, for messages.
        code: its exit code.
        output: standard output and standard error, as one text.
    """

    command: tuple[str, ...]
    code: int
    output: str

    @property
    def ok(self) -> bool:
        """Whether it ended with exit code 0."""
        return self.code == 0

    def check(self) -> "Outcome":
        """This outcome, when the program succeeded; else an AssertionError that shows what it printed."""
        assert self.ok, f"{' '.join(self.command)} ended with {self.code}:\n{self.output}"
        return self

    def said(self, host: str) -> str:
        """What it said of a refusal, without progress and what differs from run to run: times, port, folders."""
        text = re.sub(r"\x1b\[[0-9;]*[A-Za-z]", "", self.output)
        text = text.replace(host, "HOST").replace(quote(host, safe=""), "HOST")
        text = re.sub("[0-9a-f]{64}", "…", text)
        text = re.sub(r'time="[^"]*" ?', "", text)
        text = re.sub(r"^\d{4}/\d\d/\d\d \d\d:\d\d:\d\d ", "", text, flags=re.MULTILINE)
        text = re.sub(r"time=\S+ ", "", text)
        text = re.sub(r"/tmp/\S*", "PATH", text)  # noqa: S108 -- a pattern, not a folder that is used
        lines = [line.rstrip() for line in text.splitlines() if line.strip()]
        return "\n".join([line for line in lines if REFUSAL.search(line)] or lines)


class Program:
    """A program with the folder and environment that it is always run with.

    Args:
        arguments: the program and the options that every call begins with.
        home: its own HOME, so that nothing of the person's configuration is read or changed.
        variables: more environment variables.
    """

    def __init__(self, arguments: tuple[str, ...], home: Path, variables: Mapping[str, str] | None = None) -> None:
        self.arguments = arguments
        self.home = home
        self.seconds: float = TIMEOUT_SECONDS
        self.environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(home),
            "XDG_RUNTIME_DIR": str(home),
            "TMPDIR": str(home),
            **(variables or {}),
        }

    def run(self, *arguments: str, text: str = "", seconds: float | None = None) -> Outcome:
        """Run it to its end, with `text` as its standard input; killed after so many seconds (`self.seconds`)."""
        command = (*self.arguments, *arguments)
        done = subprocess.run(
            command,
            input=text,
            env=self.environment,
            cwd=self.home,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            timeout=seconds,
            check=False,
        )
        return Outcome(command, done.returncode, done.stdout)

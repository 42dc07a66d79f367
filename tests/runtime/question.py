"""What a container is asked, in the words of its own shell, and what its answer says."""

import re
import shlex
from collections.abc import Sequence
from dataclasses import dataclass, field

SHELL = ("/bin/sh", "-c")
_BLANKS = " \t\r"
_MARK = "@@"
_CONDA = re.compile(r"conda (\S+)")
_PYTHON = re.compile(r"Python (\S+)")

# Only what a shell has built in: PATH may lead nowhere.
_SCRIPT = """
say() { echo "@@$1@$2"; }
c=$(conda 2>/dev/null); say conda "$c"
p=$(python 2>/dev/null); s=$?
case $s in 126|127) p=$(python3 2>/dev/null);; esac
say python "$p"
for f in /etc/os-release /usr/lib/os-release ASIDE; do
[ -f "$f" ] || continue
say opened "$f"
(while IFS= read -r l || [ -n "$l" ]; do say os "$l"; done) 2>/dev/null <"$f" || continue
s=$(unset ID VERSION_ID DISTRIB_ID DISTRIB_RELEASE; . "$f" >/dev/null 2>&1 </dev/null
echo "${ID-$DISTRIB_ID} ${VERSION_ID-$DISTRIB_RELEASE}")
say sourced "$s"
break
done
"""

_AS_ID = {"Ubuntu": "ubuntu"}  # what lsb-release calls the ID "ubuntu"


@dataclass(frozen=True)
class Facts:
    """Versions as a container shows them or basegate tells them; "" for what is not there.

    Attributes:
        os: `ubuntu 16.04`.
        conda: `4.5.12`.
        python: `3.6.5`.
        sourced: the system again, as a shell has it that read the file as its own text; only a container knows it.
    """

    os: str = ""
    conda: str = ""
    python: str = ""
    sourced: str = field(default="", compare=False)

    def __str__(self) -> str:
        return f"{self.os or '-'} / {self.conda or '-'} / {self.python or '-'}"


@dataclass(frozen=True)
class Aside:
    """What is asked by its full path because PATH reaches none: paths of programs, of a file; "" not to ask."""

    conda: Sequence[str] = ()
    python: Sequence[str] = ()
    os: str = ""


def script(aside: Aside) -> str:
    """The whole question."""
    lines = [_SCRIPT.replace("ASIDE", _quoted(aside.os) if aside.os else "")]
    lines += [f'say conda-aside "$({_quoted(path)} 2>/dev/null)"' for path in aside.conda]
    lines += [f'say python-aside "$({_quoted(path)} 2>/dev/null)"' for path in aside.python]
    return "\n".join(lines)


def _quoted(path: str) -> str:
    return "'" + path.replace("'", "'\\''") + "'"


def facts_of(printed: str) -> Facts | None:
    """What an answer says; `None` when it is none: the shell did not run to its end."""
    said: dict[str, list[str]] = {}
    for part in printed.split(_MARK)[1:]:
        name, _, text = part.partition("@")
        said.setdefault(name, []).append(text)
    if "conda" not in said or "python" not in said:
        return None
    conda = _first(_CONDA, said["conda"]) or _first(_CONDA, said.get("conda-aside", []))
    python = _first(_PYTHON, said["python"]) or _first(_PYTHON, said.get("python-aside", []))
    sourced = " ".join("".join(said.get("sourced", [])).lower().split())
    return Facts(_system("".join(said.get("os", []))), conda, python, sourced)


def _first(words: re.Pattern[str], texts: Sequence[str]) -> str:
    found = (words.search(text) for text in texts)
    return next((match[1] for match in found if match), "")


def _system(text: str) -> str:
    values = {}
    for line in text.split("\n"):
        key, equals, value = line.partition("=")
        if equals:
            values[key.strip(_BLANKS)] = _unquoted(value.strip(_BLANKS))
    name = values.get("ID") or _AS_ID.get(values.get("DISTRIB_ID", ""), values.get("DISTRIB_ID", ""))
    version = values.get("VERSION_ID") or values.get("DISTRIB_RELEASE", "")
    return f"{name} {version}".lstrip() if version else name


def _unquoted(value: str) -> str:
    """Without quotes that stand around all of it."""
    try:
        words = shlex.split(value)
    except ValueError:
        return value
    return words[0] if len(words) == 1 and value[0] in "\"'" else value

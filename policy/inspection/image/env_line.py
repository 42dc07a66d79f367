"""What `env` starts for a script, of the one argument that Linux gives it.

As GNU coreutils reads it (9.1). What depends on more than a few words, or what other versions read otherwise, is not
guessed.
"""

import re
from collections.abc import Sequence

_MEANS_MORE = re.compile(r"[\\'\"$#]")
_ASSIGNED = re.compile(r"([^=]*)=.*", re.DOTALL)
_CHANGES_PYTHON = re.compile(r"PYTHON.*|LD_.*|CONDA.*", re.DOTALL)
_SPLIT = re.compile(r"-v*S|--split-string=")
_UNSET = re.compile(r"(?:-u|--unset=)([^=]+)", re.DOTALL)
_HARMLESS = frozenset({"-v", "--debug"})
_EMPTIES = frozenset({"-", "-i", "--ignore-environment"})


class EnvUnclear(Exception):
    """It cannot be told what `env` starts; the message says what stands in the way."""


def program_of(argument: str) -> str:
    """The program: a path, or a name that is looked up by the image's own PATH.

    Raises:
        EnvUnclear: see there.
    """
    split = _SPLIT.match(argument)
    if split is None:
        # Without -S all of it is one word: an option or an assignment leaves the script itself as the program.
        if not argument or argument.startswith("-") or "=" in argument:
            raise EnvUnclear("starts the script itself again")
        return argument
    return _program(re.split(r"[ \t\v\f\r]+", argument[split.end() :].strip(" \t\v\f\r")))


def _program(words: Sequence[str]) -> str:
    own_path = True
    left = list(words)
    while left and left[0].startswith("-"):
        word = _plain(left.pop(0))
        if word == "--":
            break
        if word in ("-u", "--unset") and left:
            word = f"-u{_plain(left.pop(0))}"
        unset = _UNSET.fullmatch(word)
        if not (unset or word in _EMPTIES or word in _HARMLESS):
            raise EnvUnclear(f"has the option {word[:40]}")
        own_path = own_path and word not in _EMPTIES and (unset is None or unset[1] != "PATH")
    while left and (assigned := _ASSIGNED.fullmatch(_plain(left[0]))):
        if _CHANGES_PYTHON.fullmatch(assigned[1]):
            raise EnvUnclear(f"sets {assigned[1][:40]}")
        own_path = own_path and assigned[1] != "PATH"
        left.pop(0)
    if not left or not left[0]:
        raise EnvUnclear("starts the script itself again")
    if not own_path and "/" not in left[0]:
        raise EnvUnclear("looks it up by another PATH than the image's")
    return left[0]


def _plain(word: str) -> str:
    if _MEANS_MORE.search(word):
        raise EnvUnclear(f"has {word[:40]}, which it reads in a way of its own")
    return word

"""Files of assignments as a shell reads them (POSIX.1-2017, XCU 2.2, 2.3, 2.9.1), without expansions."""

import re
from collections.abc import Iterator

_ASSIGNMENT = re.compile(r"([A-Za-z_][A-Za-z0-9_]*)=(.*)", re.DOTALL)
_PIECE = re.compile(
    r"""(?P<joined>\\\n)
    |(?P<blank>[ \t\r]+)
    |(?P<end>[\n;])
    |'(?P<single>[^']*)'
    |"(?P<double>(?:[^"\\]|\\.)*)"
    |\\(?P<escaped>.)
    |(?P<plain>[^\\'"\n;\ \t\r$`&|()<>]+)
    |(?P<special>.)""",
    re.DOTALL | re.VERBOSE,
)
_ESCAPE = re.compile(r"\\(?:\n()|([\"$\\`]))")
_EXPANSION = re.compile(r"(?<!\\)(?:\\\\)*[$`]")
# Commands that may set or unset variables or end the script (XCU 2.14, 2.4), with the additions of some shells.
_COMMANDS = frozenset(
    {
        *(
            "export",
            "unset",
            "eval",
            ".",
            "source",
            "set",
            "readonly",
            "exit",
            "return",
            "exec",
            "read",
            "alias",
            "trap",
        ),
        *("local", "declare", "typeset", "command", "builtin", "if", "case", "while", "until", "for", "{", "!", "let"),
        *("break", "continue", "printf", "getopts", "hash", "time", "mapfile", "readarray", "function", "select", "[["),
        *(
            "then",
            "else",
            "elif",
            "fi",
            "do",
            "done",
            "esac",
            "}",
            "in",
            "coproc",
            "logout",
            "integer",
            "float",
            "nameref",
        ),
    }
)


# Assigns in bash and ksh, and is a command to others.
_EXTENDED = re.compile(r"[A-Za-z_][A-Za-z0-9_]*(?:\[|\+=)")


class ShellUnclear(ValueError):
    """The text does more than assign; the message says what."""


def assigned(text: str) -> dict[str, str]:
    """The variables that a shell has set after it has read the text, value by name.

    Other commands change nothing, nor do assignments in front of them.

    Raises:
        ShellUnclear: expansions, commands that may set variables, operators, unterminated quotes, or NULs, which
            shells drop.
    """
    if "\0" in text:
        raise ShellUnclear("it has a NUL")
    values: dict[str, str] = {}
    for words in _commands(text):
        pairs = [match for match in map(_ASSIGNMENT.fullmatch, words) if match]
        if len(pairs) == len(words):
            values |= {match[1]: match[2] for match in pairs}
        else:
            _refuse_command(next(word for word in words if not _ASSIGNMENT.fullmatch(word)))
    return values


def _refuse_command(name: str) -> None:
    if name in _COMMANDS or _EXTENDED.match(name):
        raise ShellUnclear(f"it has the command {name[:80]!r}")


def _commands(text: str) -> Iterator[list[str]]:
    """Lists of words, quotes removed."""
    words: list[str] = []
    word: str | None = None
    position = 0
    while position < len(text):
        piece = _PIECE.match(text, position)
        if piece is None or piece["special"] is not None:
            raise ShellUnclear(
                f"it has {text[position]!r} where a shell does more than assign, or a quote without an end"
            )
        if word is None and (piece["plain"] or "").startswith("#"):
            end = text.find("\n", position)
            position = len(text) if end < 0 else end
            continue
        position = piece.end()
        if piece["joined"] is not None:
            continue
        if piece["blank"] is None and piece["end"] is None:
            word = (word or "") + _value(piece)
            continue
        if word is not None:
            words.append(word)
            word = None
        if piece["end"] is not None and words:
            yield words
            words = []
    if word is not None:
        words.append(word)
    if words:
        yield words


def _value(piece: re.Match[str]) -> str:
    if piece["double"] is not None:
        if _EXPANSION.search(piece["double"]):
            raise ShellUnclear("it has an expansion in quotes")
        return _ESCAPE.sub(lambda match: match[2] or "", piece["double"])
    return next(piece[name] for name in ("single", "escaped", "plain") if piece[name] is not None)

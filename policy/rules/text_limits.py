"""How long what is said of an image may get: clients print messages whole, and names in an image have no decent length.

Not settings: the messages of a verdict are part of its document, which is the same on every machine.
"""

from collections.abc import Iterator, Sequence

PLACE_LIMIT = 160
"""Characters of a path or another name out of an image."""
NOTE_LIMIT = 300
"""Characters of what is said beside a fact."""
FINDING_LIMIT = 600
"""Characters of one finding's message."""
FIX_LIMIT = 1000
"""Characters of what is to do about one finding."""
REFUSAL_LIMIT = 1000
"""Bytes of the message at a door (`errors[0].message`), which docker prints whole."""
_DOTS = "…"


def elided(text: str, limit: int) -> str:
    """A text of at most `limit` characters: of a longer one the middle is left out, where names stand, not reasons."""
    if len(text) <= limit:
        return text
    tail = (limit - len(_DOTS)) // 2
    return f"{text[: limit - len(_DOTS) - tail]}{_DOTS}{text[len(text) - tail :]}"


def elided_bytes(text: str, limit: int) -> str:
    """The same for bytes of UTF-8."""
    length = min(len(text), limit)
    while len(elided(text, length).encode(errors="replace")) > limit:
        length -= max(1, length // 16)
    return elided(text, length)


def listed(beginning: str, reasons: Sequence[str], limit: int = REFUSAL_LIMIT, more: str = "") -> str:
    """`BEGINNING REASON; REASON; and 17 more`, at most `limit` bytes: the first reason is always there.

    Args:
        beginning: what the reasons are for.
        reasons: the most important first; those that have no room are counted.
        limit: bytes of UTF-8.
        more: where the others are to be found, added when some are left out.
    """
    different = list(dict.fromkeys(reasons))
    said = list(_fitting(beginning, different, limit, more))
    left = len(different) - len(said)
    ending = f"; and {left} more{more}" if left else ""
    return f"{beginning}{'; '.join(said)}{ending}"


def _fitting(beginning: str, reasons: Sequence[str], limit: int, more: str) -> Iterator[str]:
    room = limit - len(f"{beginning}; and {len(reasons)} more{more}".encode(errors="replace"))
    for at, reason in enumerate(reasons):
        text = elided_bytes(reason, max(room, 64)) if at == 0 else reason
        room -= len(text.encode(errors="replace")) + 2
        if at and room < 0:
            return
        yield text

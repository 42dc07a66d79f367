"""Limits on message length: clients print messages whole, and names in an image can be of any length.

They are not settings: messages are part of a verdict's document, which must be the same on every machine.
"""

from collections.abc import Iterator, Sequence

PLACE_LIMIT = 160
"""Characters of a path or another name out of an image."""
NOTE_LIMIT = 300
"""Characters of a fact's note."""
FINDING_LIMIT = 600
"""Characters of one finding's message."""
FIX_LIMIT = 1000
"""Characters of the advice on one finding."""
REFUSAL_LIMIT = 1000
"""Bytes of the message that denies a pull or push (`errors[0].message`); docker prints it whole."""
_DOTS = "…"


def elided(text: str, limit: int) -> str:
    """The text, cut in the middle to at most `limit` characters: names stand in the middle, reasons at the ends."""
    if len(text) <= limit:
        return text
    tail = (limit - len(_DOTS)) // 2
    return f"{text[: limit - len(_DOTS) - tail]}{_DOTS}{text[len(text) - tail :]}"


def elided_bytes(text: str, limit: int) -> str:
    """`elided` with a limit in bytes of UTF-8."""
    length = min(len(text), limit)
    while len(elided(text, length).encode(errors="replace")) > limit:
        length -= max(1, length // 16)
    return elided(text, length)


def listed(beginning: str, reasons: Sequence[str], limit: int = REFUSAL_LIMIT, hint: str = "") -> str:
    """`BEGINNING REASON; REASON; and 17 more` in at most `limit` bytes; the first reason always stays.

    Args:
        beginning: what the reasons are for.
        reasons: the most important first; those that do not fit are counted.
        limit: bytes of UTF-8.
        hint: where to find the others, added when some are left out.
    """
    different = list(dict.fromkeys(reasons))
    shown = list(_fitting(beginning, different, limit, hint))
    left = len(different) - len(shown)
    ending = f"; and {left} more{hint}" if left else ""
    return f"{beginning}{'; '.join(shown)}{ending}"


def _fitting(beginning: str, reasons: Sequence[str], limit: int, hint: str) -> Iterator[str]:
    room = limit - len(f"{beginning}; and {len(reasons)} more{hint}".encode(errors="replace"))
    for position, reason in enumerate(reasons):
        text = elided_bytes(reason, max(room, 64)) if position == 0 else reason
        room -= len(text.encode(errors="replace")) + 2
        if position and room < 0:
            return
        yield text

"""Text of images is hostile: what cannot be seen, or turns other text round, is shown as what it is."""

import unicodedata

_KEPT = frozenset("\n\t")
_HIDDEN = frozenset({"Cc", "Cf", "Co", "Cs", "Zl", "Zp"})
_C0 = 0x2400
_DELETE, _SHOWN_DELETE = 0x7F, "\u2421"


def visible(text: str) -> str:
    """The text with control, direction and other unseen characters replaced by symbols or by `U+202E`."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(_shown(each) for each in text)


def _shown(each: str) -> str:
    if each.isprintable() or each in _KEPT or unicodedata.category(each) not in _HIDDEN:
        return each
    code = ord(each)
    if code < 0x20:
        return chr(_C0 + code)
    return _SHOWN_DELETE if code == _DELETE else f"U+{code:04X}"

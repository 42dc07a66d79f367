"""One kind of error that is told to a person: a sentence that says what was found, what is needed, what to do."""

import re

_NUMBER = re.compile(r"\[Errno -?[0-9]+\] ")
_WORD = re.compile(r"(?<=[a-z])(?=[A-Z])")


class BasegateError(Exception):
    """A command ends with exit code 2 and this one line; a server does not start."""

    def __str__(self) -> str:
        """The sentence, without the numbers that Python puts before reasons of the system."""
        return _NUMBER.sub("", super().__str__())


def reason_of(error: BaseException) -> str:
    """What an error says, or else its kind in words: `read timeout`."""
    return _NUMBER.sub("", str(error)) or _WORD.sub(" ", type(error).__name__).lower()


def visible(text: object) -> str:
    """Text of others, perhaps from an image, with control characters escaped: fit for a sentence on a terminal."""
    return "".join(sign if sign.isprintable() else f"\\x{ord(sign):02x}" for sign in str(text))

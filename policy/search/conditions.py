"""Conditions of a search: `os.version<16.04`, `verdict=refused`, `tag.age>90d`; read, and named when they are wrong."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from fnmatch import fnmatchcase

from policy.rules.versions import VersionRefused
from policy.search.values import ORDERS, ValueRefused, bytes_of, moment_of, require_version, seconds_of
from policy.state import State
from registry.errors import BasegateError

_CONDITION = re.compile(r"\s*([A-Za-z0-9_.-]{1,64})\s*(<=|>=|!=|=|<|>|~)\s*(.*?)\s*", re.DOTALL | re.ASCII)
_LONGEST, _MOST = 512, 32


class ConditionRefused(BasegateError):
    """A condition cannot be read; the message says what is known."""


class Form(StrEnum):
    """What the values of a fact are, and so how they compare."""

    TEXT = "text"
    WORD = "word"
    NUMBERS = "version, numbers joined by dots"
    CONDA = "version, in the order of Conda"
    SIZE = "size"
    TIME = "time"
    AGE = "age"
    CONTENT = "digest"
    IMAGE = "image"


_NAMED, _COMPARED = ("=", "!=", "~"), ("=", "!=", "<", "<=", ">", ">=")
OPERATORS: Mapping[Form, tuple[str, ...]] = {
    Form.TEXT: _NAMED,
    Form.WORD: _NAMED,
    Form.NUMBERS: (*_COMPARED, "~"),
    Form.CONDA: (*_COMPARED, "~"),
    Form.SIZE: ("<", "<=", ">", ">=", "="),
    Form.TIME: ("<", "<=", ">", ">=", "="),
    Form.AGE: ("<", "<=", ">", ">="),
    Form.CONTENT: ("=",),
    Form.IMAGE: ("=",),
}


@dataclass(frozen=True, slots=True)
class Known:
    """A fact that one can ask for: its form, what it is, and, where these are few, its values."""

    form: Form
    meaning: str
    values: tuple[str, ...] = ()


_YES_NO = ("yes", "no")
FACTS: Mapping[str, Known] = {
    "os.name": Known(Form.TEXT, "the operating system, by its id: ubuntu"),
    "os.version": Known(Form.NUMBERS, "its version: 18.04"),
    "conda": Known(Form.CONDA, "the version of Conda"),
    "python": Known(Form.CONDA, "the version of a Python; of several, one is enough"),
    "platform": Known(Form.TEXT, "what it runs on: linux/amd64"),
    "problems": Known(Form.WORD, "whether something in it could not be looked into", _YES_NO),
    "kind": Known(
        Form.WORD, "what it is; artifacts are told where this is asked (kind~* for all)", ("image", "index", "artifact")
    ),
    "verdict": Known(Form.WORD, "what the policy of its repository says", tuple(state.value for state in State)),
    "exempt": Known(Form.WORD, "whether an exemption lets it through although it is refused", _YES_NO),
    "policy": Known(Form.TEXT, "the policy of its repository"),
    "repository": Known(Form.TEXT, "the name of its repository"),
    "tag": Known(Form.TEXT, "the name of a tag that points at it"),
    "tag.age": Known(Form.AGE, "how long ago that tag moved last"),
    "tagged": Known(Form.WORD, "whether a tag points at it", _YES_NO),
    "size": Known(Form.SIZE, "the manifest, its configuration and its layers"),
    "pushed": Known(Form.TIME, "the last push"),
    "pushed.age": Known(Form.AGE, "how long ago that was"),
    "pulled": Known(Form.TIME, "the last pull; what never was pulled is older than all that was (pulled=never)"),
    "pulled.age": Known(Form.AGE, "how long ago that was"),
    "layer": Known(Form.CONTENT, "a layer that is part of it"),
    "base": Known(Form.IMAGE, "an image whose layers it begins with: NAME:TAG or NAME@DIGEST"),
}
"""By name; the order is that of the documentation."""
OF_CONTENT = frozenset({"os.name", "os.version", "conda", "python", "platform", "problems", "kind"})
"""The facts that are found in an image itself, and so are the same wherever it is."""


@dataclass(frozen=True, slots=True)
class Condition:
    """A condition; its value is one of the fact's form."""

    fact: str
    operator: str
    value: str

    def __str__(self) -> str:
        """As it is written."""
        return f"{self.fact}{self.operator}{self.value}"

    @property
    def number(self) -> float:
        """Of a size the bytes, of an age the seconds, of a time the seconds since the epoch."""
        form = FACTS[self.fact].form
        read = {Form.SIZE: bytes_of, Form.AGE: seconds_of, Form.TIME: moment_of}[form]
        return float(read(self.value))

    def holds(self, values: Iterable[str]) -> bool:
        """Whether it holds of a fact with these values: of one of them, or, with `!=`, of all."""
        if self.operator == "!=":
            return not any(self._is_equal(value) for value in values)
        return any(self._holds(value) for value in values)

    def _holds(self, value: str) -> bool:
        if self.operator == "~":
            return fnmatchcase(value, self.value)
        if self.operator == "=":
            return self._is_equal(value)
        sign = self._compared(value)
        if sign is None:
            return False
        return {"<": sign < 0, "<=": sign <= 0, ">": sign > 0, ">=": sign >= 0}[self.operator]

    def _is_equal(self, value: str) -> bool:
        return value == self.value or self._compared(value) == 0

    def _compared(self, value: str) -> int | None:
        """How the value compares to that of the condition; `None` where it is no version."""
        form = FACTS[self.fact].form
        if form not in {Form.NUMBERS, Form.CONDA}:
            return None
        try:
            return ORDERS["plain" if form is Form.NUMBERS else "conda"](value, self.value)
        except VersionRefused:
            return None


def read_conditions(texts: Sequence[str]) -> tuple[Condition, ...]:
    """Read conditions.

    Raises:
        ConditionRefused: one is none, names a fact that is not known, or compares it in a way that it has not.
    """
    if len(texts) > _MOST:
        raise ConditionRefused(f"{len(texts)} conditions are too many: at most {_MOST} are read")
    return tuple(dict.fromkeys(read_condition(text) for text in texts))


def read_condition(text: str) -> Condition:
    """Read one. Raises ConditionRefused."""
    match = _CONDITION.fullmatch(text[: _LONGEST + 1])
    if match is None or len(text) > _LONGEST:
        raise ConditionRefused(
            f"{text[:64]!r} is no condition: needs FACT, one of {_words(_every_operator())} and a value"
        )
    fact, operator, value = match[1].lower(), match[2], match[3]
    known = FACTS.get(fact)
    if known is None:
        raise ConditionRefused(f"{match[1]!r} is no fact that images are searched by: known are {_words(FACTS)}")
    if operator not in OPERATORS[known.form]:
        raise ConditionRefused(f"{fact} is not compared by {operator!r}: known are {_words(OPERATORS[known.form])}")
    return Condition(fact, operator, _value(fact, known, operator, value))


def split(text: str) -> list[str]:
    """Conditions that a person wrote on one line, apart by spaces; a value with spaces stands in quotation marks."""
    found = re.findall(r'(?:[^\s"]|"[^"]*(?:"|$))+', text)
    return [each.replace('"', "") for each in found]


def _value(fact: str, known: Known, operator: str, value: str) -> str:
    if not value:
        raise ConditionRefused(f"{fact}{operator} has no value: needs one behind the sign")
    if known.values and operator != "~" and value not in known.values:
        raise ConditionRefused(f"{fact} is never {value[:64]!r}: it is one of {_words(known.values)}")
    try:
        _require(known.form, operator, value)
    except ValueRefused as error:
        raise ConditionRefused(f"{fact}{operator}{value[:64]}: {error}") from None
    return value


def _require(form: Form, operator: str, value: str) -> None:
    """Raise ValueRefused where the value is none of this form."""
    if operator == "~":
        return
    if form in {Form.NUMBERS, Form.CONDA} and operator in {"<", "<=", ">", ">="}:
        require_version(value, ORDERS["plain" if form is Form.NUMBERS else "conda"])
    elif form is Form.SIZE:
        bytes_of(value)
    elif form is Form.AGE:
        seconds_of(value)
    elif form is Form.TIME:
        moment_of(value)


def _words(names: Iterable[str]) -> str:
    return ", ".join(names)


def _every_operator() -> list[str]:
    return list(dict.fromkeys(each for operators in OPERATORS.values() for each in operators))

"""The file that names a registry's first principals, for sidecars and automated set-up.

It is a YAML list. Each item has `name`, `role`, `repositories` (a pattern or a list of them; default: everywhere) and
either `secret` or `secret_file`, a path relative to the folder of the file:

    - name: builder
      role: AcrPush
      repositories: [team/*]
      secret_file: builder-secret

A message names the line and the field, and never shows a secret.
"""

import difflib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import yaml
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from registry.auth.actions import Role
from registry.auth.enrolment import EnrolmentRefused, require_name, require_pattern
from registry.errors import BasegateError

SECRET_LENGTHS = range(16, 513)
_FILE_MAXIMUM = 1 << 20
_FIELDS = ("name", "role", "repositories", "secret", "secret_file")
_PRINTABLE = range(0x21, 0x7F)


class BootstrapRefused(BasegateError):
    """The file cannot be used; the message names the line and the field."""


@dataclass(frozen=True, slots=True)
class WantedPrincipal:
    """A principal in the file.

    Attributes:
        name: in the grammar of `registry.auth.enrolment`.
        role: what it may do.
        repositories: patterns, at least one.
        secret: 16 to 512 printable ASCII characters without white space.
    """

    name: str
    role: Role
    repositories: tuple[str, ...]
    secret: str = field(repr=False)


def read_bootstrap(file: Path) -> tuple[WantedPrincipal, ...]:
    """The principals of a file, in its order.

    Raises:
        BootstrapRefused: the file, or one of the secret files it names, cannot be read or used.
    """
    lines: dict[str, int] = {}
    wanted = []
    for item in _items(file):
        principal = item.principal()
        if principal.name in lines:
            raise item.refusal("name", f"is the same as in line {lines[principal.name]}: give each its own")
        lines[principal.name] = item.line
        wanted.append(principal)
    return tuple(wanted)


def _items(file: Path) -> Iterator["_Item"]:
    root = _parsed(file)
    if not isinstance(root, SequenceNode) or not root.value:
        raise BootstrapRefused(f"bootstrap file {file}: needs a list of principals, each with {', '.join(_FIELDS)}")
    for node in root.value:
        yield _Item(file, node)


def _parsed(file: Path) -> Node | None:
    try:
        return yaml.compose(_content_of(file, "bootstrap file", _FILE_MAXIMUM), yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        # PyYAML's message quotes the line, which may have a secret.
        at = error.problem_mark or error.context_mark
        line = "" if at is None else f" line {at.line + 1}"
        raise BootstrapRefused(f"bootstrap file {file}{line} is not YAML: look at quotes and indentation") from None
    except (yaml.YAMLError, RecursionError):
        raise BootstrapRefused(f"bootstrap file {file} is not YAML: needs a list of principals") from None


def _content_of(file: Path, title: str, most: int) -> str:
    try:
        with file.open("rb") as opened:
            content = opened.read(most + 1)
    except OSError as error:
        raise BootstrapRefused(f"{title} {file} cannot be read: {error.strerror}") from None
    if len(content) > most:
        raise BootstrapRefused(f"{title} {file} has more than {most} bytes: that many are read")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise BootstrapRefused(f"{title} {file} is not UTF-8 text") from None


class _Item:
    """One item of the list, with the place of each field."""

    def __init__(self, file: Path, node: Node) -> None:
        self._file = file
        self.line = node.start_mark.line + 1
        self._lines: dict[str, int] = {}
        self._fields = self._read(node)

    def principal(self) -> WantedPrincipal:
        """The principal that the item describes."""
        return WantedPrincipal(self._name(), self._role(), self._repositories(), self._secret())

    def refusal(self, name: str, why: str) -> BootstrapRefused:
        """The error for a field."""
        line = self._lines.get(name, self.line)
        return BootstrapRefused(f"bootstrap file {self._file} line {line}: {name} {why}")

    def _read(self, node: Node) -> Mapping[str, Node]:
        if not isinstance(node, MappingNode):
            raise self.refusal("the item", f"is no mapping: needs {', '.join(_FIELDS)}")
        fields: dict[str, Node] = {}
        for key, value in node.value:
            name = str(key.value)
            self._lines[name] = key.start_mark.line + 1
            if name not in _FIELDS:
                # Not shown: without a space after a colon, a secret is part of it.
                near = difflib.get_close_matches(name, _FIELDS, 1)
                hint = f"did you mean {near[0]}?" if near else f"known are {', '.join(_FIELDS)}"
                self._lines["a field"] = self._lines[name]
                raise self.refusal("a field", f"is not known: {hint}")
            if name in fields:
                raise self.refusal(name, "is there twice: keep one")
            fields[name] = value
        return fields

    def _name(self) -> str:
        name = self._text("name", self._fields.get("name"))
        try:
            require_name(name)
        except EnrolmentRefused as error:
            raise self.refusal("name", f"cannot be used: {error}") from None
        return name

    def _role(self) -> Role:
        role = self._text("role", self._fields.get("role"))
        if role not in set(Role):
            raise self.refusal("role", f"is {role[:40]!r}: needs {', '.join(Role)}")
        return Role(role)

    def _repositories(self) -> tuple[str, ...]:
        node = self._fields.get("repositories")
        if node is None:
            return ("*",)
        nodes = node.value if isinstance(node, SequenceNode) and node.value else [node]
        patterns = tuple(dict.fromkeys(self._text("repositories", each) for each in nodes))
        try:
            for pattern in patterns:
                require_pattern(pattern)
        except EnrolmentRefused as error:
            raise self.refusal("repositories", f"cannot be used: {error}") from None
        return patterns

    def _secret(self) -> str:
        given = [name for name in ("secret", "secret_file") if name in self._fields]
        if len(given) != 1:
            raise self.refusal("secret", f"and secret_file are {'both there' if given else 'missing'}: needs one")
        name = given[0]
        secret = self._text(name, self._fields[name])
        if name == "secret_file":
            secret = self._content(secret)
        if len(secret) not in SECRET_LENGTHS or any(ord(letter) not in _PRINTABLE for letter in secret):
            least, most = SECRET_LENGTHS[0], SECRET_LENGTHS[-1]
            raise self.refusal(name, f"needs {least} to {most} printable ASCII characters without white space")
        return secret

    def _content(self, name: str) -> str:
        try:
            text = _content_of(self._file.parent / name, "file", SECRET_LENGTHS.stop)
        except BootstrapRefused as error:
            raise self.refusal("secret_file", f"is {name[:200]!r}: {error}") from None
        return text.removesuffix("\n").removesuffix("\r")

    def _text(self, name: str, node: Node | None) -> str:
        if not isinstance(node, ScalarNode) or not node.value:
            raise self.refusal(name, "is missing" if node is None else "needs a text")
        return str(node.value)

"""Changes that would make an image pass: data for a program, a sentence and Dockerfile lines for a person."""

import shlex
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from policy.rules.text_limits import FIX_LIMIT, PLACE_LIMIT, elided


class Action(StrEnum):
    """The kind of a change."""

    BASE = "base"  # start from another image: `image`, `id`, `version`
    DELETE = "delete"  # a file: `path`
    LINK = "link"  # a symbolic link is set: `path`, `target`
    MODE = "mode"  # permissions for everybody are added: `path`, `mode`
    PATH = "path"  # the image's PATH: `first` goes in front of it, or `value` replaces it
    CONDA = (
        "conda"  # Conda installs into a prefix: `package`, `version`, `prefix`, `conda` (the program that is called)
    )
    INSTALLER = "installer"  # Miniconda's installer makes a prefix anew: `installer`, `conda`, `python`, `prefix`
    INSTALL = "install"  # something is installed by whatever means: `package`, `version`
    REBUILD = "rebuild"  # a layer is made anew: `layer`, `digest`, `without` (a member)
    CONFIGURE = "configure"  # the image's configuration is written anew: `member`
    PUSH = "push"  # what is missing is pushed
    LOOK = "look"  # the image is looked into again: `basegate inspect --again`
    LIMIT = "limit"  # a setting is raised: `setting`


@dataclass(frozen=True, slots=True)
class Change:
    """One change.

    Attributes:
        action: what is done.
        words: the sentence for a person, without a full stop.
        lines: the change as lines of a Dockerfile; may be empty.
        about: the parameters of `action`, by name.
    """

    action: Action
    words: str
    lines: tuple[str, ...] = ()
    about: Mapping[str, str] = field(default_factory=dict)

    def document(self) -> dict[str, Any]:
        """`{"action", …, "words", "lines"}`."""
        return {"action": self.action.value, **self.about, "words": self.words, "lines": list(self.lines)}

    @classmethod
    def of_document(cls, document: Mapping[str, Any]) -> "Change":
        """The change that `document` wrote."""
        about = {name: text for name, text in document.items() if name not in {"action", "words", "lines"}}
        return cls(Action(document["action"]), document["words"], tuple(document["lines"]), about)


def fix_of(changes: Iterable[Change]) -> str:
    """Changes as one text: `WORDS: LINE; then WORDS: LINE`; without the lines when they do not fit."""
    listed = tuple(changes)
    whole = "; then ".join(f"{item.words}: {', '.join(item.lines)}" if item.lines else item.words for item in listed)
    if len(whole) <= FIX_LIMIT:
        return whole
    return elided("; then ".join(item.words for item in listed), FIX_LIMIT)


def quoted(path: str) -> str:
    """A path quoted for a shell, never shortened: a command with half a path would be another command."""
    return shlex.quote(path)


def place(path: str) -> str:
    """A path as messages show it."""
    return elided(path, PLACE_LIMIT)

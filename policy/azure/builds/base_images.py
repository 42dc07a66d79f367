"""The images that a Dockerfile begins with or copies from."""

import re
from collections.abc import Mapping

# A line's own blanks only in front: what may run on over many lines is tried again from each of them.
_FROM = re.compile(r"^[ \t]*FROM\s+(?:--\S+\s+)*(\S+)(?:\s+AS\s+(\S+))?", re.IGNORECASE | re.MULTILINE)
_COPIED = re.compile(r"^[ \t]*COPY\s+(?:--\S+\s+)*--from=(\S+)", re.IGNORECASE | re.MULTILINE)
_ARG = re.compile(r"^[ \t]*ARG\s+(\w+)=(\S+)", re.IGNORECASE | re.MULTILINE)
_RUN = re.compile(r"^[ \t]*RUN\b", re.IGNORECASE | re.MULTILINE)
_VARIABLE = re.compile(r"\$(?:\{(\w+)\}|(\w+))")
_IMAGE_MAXIMUM = 512
"""Characters of an image's name, before and after its arguments are filled in; what is longer names none."""


def base_images(dockerfile: str, arguments: Mapping[str, str]) -> tuple[str, ...]:
    """The images that a Dockerfile begins with or copies from, arguments filled in; stages are none.

    Args:
        dockerfile: its text.
        arguments: build arguments by name; they win over the file's own defaults.
    """
    values = dict(_ARG.findall(dockerfile)) | dict(arguments)
    stages: set[str] = set()
    found: list[str] = []
    for image, stage in _FROM.findall(dockerfile):
        found.append(_filled(image, values))
        stages |= {stage.lower()} if stage else set()
    found += [_filled(image, values) for image in _COPIED.findall(dockerfile)]
    others = stages | {"scratch", ""}
    named = (image for image in found if image.lower() not in others and not image.isdigit())
    return tuple(dict.fromkeys(named))


def has_run_line(dockerfile: str) -> bool:
    """Whether a program is run while it is built."""
    return _RUN.search(dockerfile) is not None


def _filled(text: str, values: Mapping[str, str]) -> str:
    if len(text) > _IMAGE_MAXIMUM:
        return ""
    found = _VARIABLE.sub(lambda match: values.get(match[1] or match[2], "")[: _IMAGE_MAXIMUM + 1], text.strip("\"'"))
    return found if len(found) <= _IMAGE_MAXIMUM else ""

"""Layers of an image, each with the command that made it, as the configuration tells."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from registry.oci.manifest import ImageManifest

_LONGEST = 1000
_SHELL, _NO_OPERATION = "/bin/sh -c ", "#(nop) "


@dataclass(frozen=True, slots=True)
class Configuration:
    """What a page shows of an image's configuration.

    Attributes:
        platform: `linux/amd64`, or empty.
        created: as it says, or empty.
        settings: name and value of what the image sets for containers, in the order of the page.
        commands: of the layers, from the first one.
        trouble: why nothing of it is shown; "" when it is.
    """

    platform: str = ""
    created: str = ""
    settings: Sequence[tuple[str, str]] = ()
    commands: Sequence[str] = field(default_factory=tuple)
    trouble: str = ""

    def document(self) -> dict[str, Any]:
        """JSON-able data."""
        settings = [list(each) for each in self.settings]
        return {"platform": self.platform, "created": self.created, "settings": settings, "trouble": self.trouble}


def configuration_of(raw: bytes) -> Configuration:
    """The configuration in these bytes; an empty one when they are that of no image. What is in it is hostile."""
    try:
        document = json.loads(raw)
    except (ValueError, RecursionError):
        return Configuration()
    if not isinstance(document, dict):
        return Configuration()
    history = document.get("history")
    steps = [step for step in history if isinstance(step, dict)] if isinstance(history, list) else []
    return Configuration(
        "/".join(_text(document.get(name)) for name in ("os", "architecture", "variant") if document.get(name)),
        _text(document.get("created"))[:64],
        _settings(document.get("config")),
        tuple(_command(step) for step in steps if step.get("empty_layer") is not True),
    )


def layers_of(manifest: ImageManifest, configuration: Configuration) -> list[dict[str, Any]]:
    """`{"index", "digest", "media_type", "size", "command"}` of each layer."""
    commands = configuration.commands if len(configuration.commands) == len(manifest.layers) else ()
    return [
        {
            "index": index,
            "digest": layer.digest,
            "media_type": layer.media_type,
            "size": layer.size,
            "command": commands[index] if commands else "",
        }
        for index, layer in enumerate(manifest.layers)
    ]


def _settings(config: Any) -> list[tuple[str, str]]:
    if not isinstance(config, Mapping):
        return []
    labels = config.get("Labels")
    named = [(name, config.get(name)) for name in ("User", "WorkingDir", "Entrypoint", "Cmd", "Shell")]
    named += [("Env", each) for each in config.get("Env") or () if isinstance(config.get("Env"), list)]
    named += [(f"Label {name}"[:128], value) for name, value in labels.items()] if isinstance(labels, dict) else []
    return [(name, _text(value)) for name, value in named if value]


def _command(step: Mapping[str, Any]) -> str:
    text = _text(step.get("created_by"))
    bare = text.removeprefix(_SHELL)
    if bare == text:
        return text
    return bare.strip().removeprefix(_NO_OPERATION).strip() if _NO_OPERATION in bare[:8] else f"RUN {bare}"


def _text(value: Any) -> str:
    text = value if isinstance(value, str) else "" if value is None else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}… ({len(text)} characters)"

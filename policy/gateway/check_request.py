"""The body of a check: one image reference, or one inference configuration."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from policy.gateway.inference_config.interpret import InferenceConfig, interpret, or_default
from policy.gateway.inference_config.parse import YAML_BYTES, InferenceConfigUnreadable, parse
from registry.oci.errors import BadRequest
from registry.oci.shapes import Shape
from registry.oci.strict_json import MembersUnclear, refuse_misspelt

_BODY = Shape(("reference", "inferenceConfig"))
_NEEDED = 'needs {"reference": "HOST/repository:tag"} or {"inferenceConfig": {…}}'


@dataclass(frozen=True, slots=True)
class CheckRequest:
    """A request for a check.

    Attributes:
        image: the reference as written; "" for a configuration without one.
        config: the configuration, when one was sent.
    """

    image: str
    config: InferenceConfig | None = None


def read_inquiry(raw: bytes, yaml_bytes: int = YAML_BYTES, default_image: str = "") -> CheckRequest:
    """Parse a request's body.

    Args:
        raw: the body.
        yaml_bytes: the longest YAML in it.
        default_image: the service's image for a configuration that names none; "" if unknown.

    Raises:
        BadRequest: not JSON, not one of the two forms, one of their members in another case, or a configuration that
            cannot be read.
    """
    try:
        document = parse(raw.decode("utf-8"), yaml_bytes)
        refuse_misspelt(document, _BODY)
        return _inquiry(document, yaml_bytes, default_image)
    except UnicodeDecodeError:
        raise BadRequest(f"the body is not UTF-8 text: {_NEEDED}") from None
    except (InferenceConfigUnreadable, MembersUnclear) as error:
        raise BadRequest(f"the body cannot be read: {error}; {_NEEDED}") from None


def _inquiry(document: Mapping[str, Any], yaml_bytes: int, default_image: str) -> CheckRequest:
    reference, sent = document.get("reference"), document.get("inferenceConfig")
    if isinstance(reference, str) and reference and sent is None:
        return CheckRequest(reference)
    if reference is not None or not isinstance(sent, Mapping | str):
        keys = ", ".join(str(name)[:40] for name in list(document)[:10])
        raise BadRequest(f"the body holds {keys or 'nothing'}: {_NEEDED}")
    config = or_default(interpret(parse(sent, yaml_bytes) if isinstance(sent, str) else sent), default_image)
    return CheckRequest(config.image, config)

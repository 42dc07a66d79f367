"""The body of a check: both forms, and what is refused."""

import json

import pytest

from policy.gateway.check_request import read_inquiry
from registry.oci.errors import BadRequest

CONFIG = {"entryScript": "score.py", "runtime": "python", "baseImage": "h.example/a:v1"}


def test_reference() -> None:
    """A reference is passed on as it is written."""
    inquiry = read_inquiry(b'{"reference": "h:1/a:v1"}')
    assert (inquiry.image, inquiry.config) == ("h:1/a:v1", None)


@pytest.mark.parametrize("sent", [CONFIG, json.dumps(CONFIG), "runtime: python\nbaseImage: h.example/a:v1\n"])
def test_inference_config(sent: object) -> None:
    """A configuration comes as an object, or as its text in JSON or YAML."""
    inquiry = read_inquiry(json.dumps({"inferenceConfig": sent}).encode())
    assert inquiry.image == "h.example/a:v1"
    assert inquiry.config is not None


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"\xff",
        b"[]",
        b"{}",
        b'{"reference": ""}',
        b'{"reference": 3}',
        b'{"inferenceConfig": [1]}',
        b'{"inferenceConfig": "["}',
        b'{"reference": "a:1", "reference": "b:1"}',
        b'{"reference": "h:1/a:v1", "inferenceConfig": {}}',
        b'{"reference": "h:1/a:v1", "Reference": "h:1/b:v1"}',
        b'{"Reference": "h:1/a:v1"}',
        b'{"reference": "h:1/a:v1", "inferenceconfig": {}}',
    ],
)
def test_refused(raw: bytes) -> None:
    """Anything else is a bad request whose message shows both forms."""
    with pytest.raises(BadRequest, match="inferenceConfig"):
        read_inquiry(raw)

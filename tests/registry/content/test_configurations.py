"""Configurations at the push of a manifest: what only Go would read is refused, whatever their type."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from registry.oci import media_types
from registry.oci.errors import ManifestInvalid
from registry.oci.names import Tag
from tests.registry.open_services import OpenServices, descriptor, open_services

ROOTFS = {"type": "layers", "diff_ids": []}
OCTET = "application/octet-stream"


@pytest.fixture
def services(tmp_path: Path) -> Iterator[OpenServices]:
    """A registry without a policy."""
    with open_services(tmp_path) as opened:
        yield opened


def push(services: OpenServices, config: bytes, media_type: str = media_types.OCI_CONFIG) -> None:
    """Push a manifest without layers over a configuration."""
    services.run(services.push_blob(config))
    document = {
        "schemaVersion": 2,
        "mediaType": media_types.OCI_MANIFEST,
        "config": descriptor(config) | {"mediaType": media_type},
        "layers": [],
    }
    services.run(services.push_manifest(json.dumps(document).encode(), Tag("v1")))


@pytest.mark.parametrize(
    "config",
    [
        {"RootFS": ROOTFS},
        {"rootf\u017f": ROOTFS},
        {"rootfs": {"Diff_IDs": []}},
        {"rootfs": {"diff_id\u017f": []}},
        {"rootfs": ROOTFS, "Config": {}},
        {"rootfs": ROOTFS, "config": {"env": []}},
        {"rootfs": ROOTFS, "config": {"Healthcheck": {"test": []}}},
        {"rootfs": ROOTFS, "config": {"Wor\u212aingDir": "/"}},
        {"rootfs": ROOTFS, "history": [{}, {"Created_By": "x"}]},
        {"rootfs": ROOTFS, "OS": "linux", "os": "linux"},
    ],
)
@pytest.mark.parametrize("media_type", [media_types.OCI_CONFIG, OCTET])
def test_a_member_in_another_case_is_refused(services: OpenServices, config: Any, media_type: str) -> None:
    """Runtimes would read it as the known one."""
    with pytest.raises(ManifestInvalid, match=r"configuration sha256:\w+ invalid: member"):
        push(services, json.dumps(config, ensure_ascii=False).encode(), media_type)


@pytest.mark.parametrize(
    "config",
    [
        json.dumps({"rootfs": ROOTFS, "config": {"Labels": {"env": "1", "Env": "2"}, "Volumes": {"/OS": {}}}}).encode(),
        json.dumps({"rootfs": ROOTFS, "con\ufb01g": {}, "x": {"Os": 1}}).encode(),
        b"no JSON",
        b"[]",
        b"{}",
    ],
)
def test_everything_else_stands(services: OpenServices, config: bytes) -> None:
    """What is wrong with it otherwise is not the registry's business."""
    push(services, config)


def test_the_configuration_of_an_artifact_may_hold_any_names(services: OpenServices) -> None:
    """No runtime reads it."""
    push(services, b'{"Config": {"env": []}, "config": {}}', "application/vnd.example.config.v1+json")


def test_what_stands_for_an_artifact_does_not_stand_for_an_image(services: OpenServices) -> None:
    """That it was looked into before says nothing of the other reading."""
    config = b'{"Config": {"Env": []}}'
    push(services, config, "application/vnd.example.config.v1+json")
    push(services, config, "application/vnd.example.config.v1+json")
    with pytest.raises(ManifestInvalid, match="'Config' would be read as 'config'"):
        push(services, config)


def test_a_configuration_beyond_the_limit_is_passed_over(tmp_path: Path) -> None:
    """Whoever inspects it says what is wrong."""
    with open_services(tmp_path, limits={"manifest_bytes": 2000}) as services:
        push(services, json.dumps({"RootFS": ROOTFS, "x": "y" * 2000}).encode())

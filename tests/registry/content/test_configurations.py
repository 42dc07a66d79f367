"""Configurations at the push of a manifest: what only Go would read is refused, whatever their type."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from registry.oci import media_types
from registry.oci.errors import ManifestInvalid
from registry.oci.names import Tag
from tests.registry.open_rooms import OpenRooms, descriptor, open_rooms

ROOTFS = {"type": "layers", "diff_ids": []}
OCTET = "application/octet-stream"


@pytest.fixture
def rooms(tmp_path: Path) -> Iterator[OpenRooms]:
    """A registry without a policy."""
    with open_rooms(tmp_path) as opened:
        yield opened


def push(rooms: OpenRooms, config: bytes, media_type: str = media_types.OCI_CONFIG) -> None:
    """Push a manifest without layers over a configuration."""
    rooms.run(rooms.push_blob(config))
    document = {
        "schemaVersion": 2,
        "mediaType": media_types.OCI_MANIFEST,
        "config": descriptor(config) | {"mediaType": media_type},
        "layers": [],
    }
    rooms.run(rooms.push_manifest(json.dumps(document).encode(), Tag("v1")))


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
def test_a_member_in_another_case_is_refused(rooms: OpenRooms, config: Any, media_type: str) -> None:
    """Runtimes would read it as the known one."""
    with pytest.raises(ManifestInvalid, match=r"configuration sha256:\w+ invalid: member"):
        push(rooms, json.dumps(config, ensure_ascii=False).encode(), media_type)


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
def test_everything_else_stands(rooms: OpenRooms, config: bytes) -> None:
    """What is wrong with it otherwise is not the registry's business."""
    push(rooms, config)


def test_the_configuration_of_an_artifact_may_hold_any_names(rooms: OpenRooms) -> None:
    """No runtime reads it."""
    push(rooms, b'{"Config": {"env": []}, "config": {}}', "application/vnd.example.config.v1+json")


def test_what_stands_for_an_artifact_does_not_stand_for_an_image(rooms: OpenRooms) -> None:
    """That it was looked into before says nothing of the other reading."""
    config = b'{"Config": {"Env": []}}'
    push(rooms, config, "application/vnd.example.config.v1+json")
    push(rooms, config, "application/vnd.example.config.v1+json")
    with pytest.raises(ManifestInvalid, match="'Config' would be read as 'config'"):
        push(rooms, config)


def test_a_configuration_beyond_the_limit_is_passed_over(tmp_path: Path) -> None:
    """Whoever inspects it says what is wrong."""
    with open_rooms(tmp_path, limits={"manifest_bytes": 2000}) as rooms:
        push(rooms, json.dumps({"RootFS": ROOTFS, "x": "y" * 2000}).encode())

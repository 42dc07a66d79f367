"""Manifests with very many layers: others have their turn while their rows are read and written."""

import sys

import pytest
from sqlalchemy import Connection

from registry.content.parsing import Parsing
from registry.content.pushed_rows import PushedRows
from registry.metadata.transactions import ChangeContext, ManifestChange
from registry.oci.digest import Digest
from registry.oci.errors import ManifestBlobUnknown
from registry.oci.manifest import parse_manifest
from registry.oci.media_types import OCI_MANIFEST
from registry.oci.names import Tag
from tests.registry.open_services import PUSHER, REPOSITORY, OpenServices, image

LAYERS = [str(number).encode() for number in range(1_000)]
AT = ChangeContext(REPOSITORY, "somebody", 1.0)


def turns_of(services: OpenServices, layers: int) -> float:
    """The switch interval, in seconds, at which a manifest of so many layers of one blob is recorded."""
    blobs = [services.run(services.push_blob(content)) for content in (b"layer", b"{}")]
    raw, found = image([b"layer"] * layers), []

    def alongside(_connection: Connection, _row: int) -> None:
        found.append(sys.getswitchinterval())

    parsed = parse_manifest(raw, OCI_MANIFEST)
    change = ManifestChange(Digest.of(raw), raw, parsed, (), blobs, (), (), alongside=alongside)
    pushed = PushedRows(services.storage, services.metadata, Parsing(services.settings))
    services.run(pushed.record(AT, change))
    return found[0]


def test_a_long_one_is_recorded_in_short_turns(services: OpenServices) -> None:
    """A usual one is not: switching has a cost."""
    usual = sys.getswitchinterval()
    assert turns_of(services, 1) == usual
    assert turns_of(services, len(LAYERS)) < usual / 2
    assert sys.getswitchinterval() == usual


def test_what_is_missing_of_many_is_named_in_order(services: OpenServices) -> None:
    """The smallest digest in the sentence, the first hundred in the detail."""
    services.run(services.push_blob(b"{}"))
    missing = sorted(map(Digest.of, LAYERS))
    with pytest.raises(ManifestBlobUnknown) as caught:
        services.run(services.manifests.push(PUSHER, REPOSITORY, Tag("v1"), image(LAYERS), OCI_MANIFEST))
    assert f"{missing[0]} and 999 more" in caught.value.message
    assert [item["digest"] for item in caught.value.detail] == missing[:100]


def test_a_long_one_whose_layers_are_here_is_accepted(services: OpenServices) -> None:
    """However many they are."""
    for content in (b"{}", *LAYERS[:200]):
        services.run(services.push_blob(content))
    pushed = services.manifests.push(PUSHER, REPOSITORY, Tag("v1"), image(LAYERS[:200]), OCI_MANIFEST)
    assert services.run(pushed).tags == (Tag("v1"),)

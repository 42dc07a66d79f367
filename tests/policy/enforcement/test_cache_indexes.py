"""Indexes of blobs (BuildKit's older cache) at the doors: artifacts, which open nothing that is withheld."""

import json

import pytest

from policy.assessment.bulk_judging import rejudge
from policy.state import State
from registry.oci import media_types
from registry.oci.digest import Digest
from registry.oci.errors import Denied
from registry.oci.names import Tag
from tests.policy.images_made import LAYER, bad, descriptor, good
from tests.policy.lab import READER, TEAM, Lab

CACHE = Tag("cache")
CONFIG = "application/vnd.buildkit.cacheconfig.v0"
NOTES = b'{"layers":[],"records":[]}'


def cache(*layers: bytes, manifests: tuple[tuple[bytes, str], ...] = (), platform: str = "") -> bytes:
    """An index of layers and BuildKit's configuration, with images beside them when asked for."""
    entries = [descriptor(content, LAYER) for content in layers]
    if platform:
        system, _, architecture = platform.partition("/")
        entries = [entry | {"platform": {"os": system, "architecture": architecture}} for entry in entries]
    entries.append(descriptor(NOTES, CONFIG))
    for raw, named in manifests:
        system, _, architecture = named.partition("/")
        entry = descriptor(raw, media_types.OCI_MANIFEST)
        entries.append(entry | {"platform": {"os": system, "architecture": architecture}})
    return json.dumps({"schemaVersion": 2, "mediaType": media_types.OCI_INDEX, "manifests": entries}).encode()


def pushed(lab: Lab, raw: bytes, *blobs: bytes) -> Digest:
    """Push a cache with its blobs."""
    for content in (*blobs, NOTES):
        lab.run(lab.push_blob(content))
    return lab.run(lab.push_manifest(raw, CACHE)).digest


def is_open(lab: Lab, content: bytes) -> bool:
    """Whether a reader gets the blob."""
    try:
        lab.run(lab.blobs.pull(READER, TEAM, Digest.of(content)))
    except Denied:
        return False
    return True


def test_a_cache_is_an_artifact_that_readers_import(lab: Lab) -> None:
    """Index, layers and configuration; nothing is deployed from it."""
    layers = good().layers
    digest = pushed(lab, cache(*layers), *layers)
    assert lab.verdict(digest).state is State.NOT_APPLICABLE
    assert lab.run(lab.manifests.pull(READER, TEAM, CACHE)).digest == digest
    assert all(is_open(lab, content) for content in (*layers, NOTES))
    assert not lab.run(lab.gate.standing(READER, TEAM, digest)).decision.allowed


@pytest.mark.parametrize("first", [True, False], ids=["cache first", "image first"])
def test_a_cache_opens_no_layer_of_a_withheld_image(lab: Lab, first: bool) -> None:
    """Its own blobs only."""
    raw = cache(*bad().layers)
    if not first:
        lab.pushed(bad(), None)
    pushed(lab, raw, *bad().layers)
    if first:
        lab.pushed(bad(), None)
    assert [is_open(lab, content) for content in (*bad().layers, NOTES)] == [False, False, True]


@pytest.mark.parametrize("platform", ["", "unknown/unknown", "linux/amd64"])
def test_a_cleared_image_in_the_index_opens_none_either(lab: Lab, platform: str) -> None:
    """What an index names as a blob is never an image's account."""
    lab.pushed(good(), None)
    lab.pushed(bad(), None)
    pushed(lab, cache(*bad().layers, manifests=((good().manifest, "linux/arm64"),), platform=platform))
    own = [content for content in bad().layers if content not in good().layers]
    assert [is_open(lab, content) for content in own] == [False] * len(own)


def test_a_layer_that_stands_for_a_platform_leaves_an_index_unclear(lab: Lab) -> None:
    """A runtime of that platform would pick it."""
    lab.pushed(good(), None)
    raw = cache(*good().layers, manifests=((good().manifest, "linux/arm64"),), platform="linux/amd64")
    assert lab.verdict(pushed(lab, raw)).state is State.INCONCLUSIVE


def test_a_layer_without_a_platform_changes_nothing_beside_a_cleared_image(lab: Lab) -> None:
    """As other artifacts."""
    lab.pushed(good(), None)
    digest = pushed(lab, cache(*good().layers, manifests=((good().manifest, "linux/amd64"),)))
    assert lab.verdict(digest).state is State.CLEARED


@pytest.mark.parametrize("first", [True, False], ids=["as a blob first", "as a manifest first"])
def test_a_refused_manifest_under_a_layers_type_is_judged_as_what_it_is(lab: Lab, first: bool) -> None:
    """A runtime that asks for it by digest gets the manifest, whatever the index says of it."""
    lab.pushed(good(), None)
    raw = cache(bad().manifest, manifests=((good().manifest, "linux/arm64"),))
    if not first:
        lab.pushed(bad(), None)
    digest = pushed(lab, raw, bad().manifest)
    if first:
        assert lab.verdict(digest).state is State.CLEARED
        lab.pushed(bad(), None)
    assert lab.verdict(digest).state is State.REFUSED
    with pytest.raises(Denied):
        lab.run(lab.manifests.pull(READER, TEAM, bad().digest))


def test_the_states_of_a_whole_store_are_the_same(lab: Lab) -> None:
    """Judged anew from what policy.db knows, as after another policy."""
    lab.pushed(good(), None)
    digest = pushed(lab, cache(*good().layers), *good().layers)
    lab.results.settle()
    policy = lab.gate.bindings.current().of(TEAM).policy
    found = rejudge(lab.results, policy)
    assert found.states[digest] is State.NOT_APPLICABLE
    assert digest not in found.unsettled

"""Reinspection: forgets the results of an image, so that its layers are inspected again."""

from sqlalchemy import Connection

from policy.results import layers as inspected_layers
from policy.results import manifests as inspected_manifests
from policy.results import verdicts
from policy.results.counters import FORGOTTEN, count
from policy.results.store import ResultStore
from registry.content.manifests import content_of
from registry.metadata import manifests
from registry.metadata.store import MetadataStore
from registry.oci.digest import Digest
from registry.oci.manifest import ImageIndex, parse_manifest
from registry.oci.names import RepositoryName
from registry.storage.blob_store import BlobStore


async def forget_image(
    storage: BlobStore, metadata: MetadataStore, results: ResultStore, repository: RepositoryName, digest: Digest
) -> int:
    """Forget the results of an image, its layers and an index's children; a running server follows within a second.

    Returns:
        How many layers will be inspected again.
    """
    named, layers = await _reached(storage, metadata, repository, digest)
    results.write(_forget, named, layers)
    return len(layers)


async def _reached(
    storage: BlobStore, metadata: MetadataStore, repository: RepositoryName, digest: Digest
) -> tuple[set[Digest], set[Digest]]:
    """This manifest, those below it, and their layers."""
    named: set[Digest] = set()
    layers: set[Digest] = set()
    waiting = [digest]
    while waiting:
        current = waiting.pop()
        row = await metadata.read(manifests.find, repository, current)
        raw = None if row is None else await content_of(storage, metadata, repository, row)
        if row is None or raw is None or current in named:
            continue
        named.add(current)
        manifest = parse_manifest(raw, row.media_type)
        if isinstance(manifest, ImageIndex):
            waiting.extend(child.digest for child in manifest.manifests)
        else:
            layers.update(layer.digest for layer in manifest.layers)
    return named, layers


def _forget(connection: Connection, named: set[Digest], layers: set[Digest]) -> None:
    for layer in layers:
        inspected_layers.forget(connection, layer)
    for manifest in named:
        inspected_manifests.forget(connection, manifest)
        verdicts.forget(connection, manifest)
    count(connection, FORGOTTEN, 1)

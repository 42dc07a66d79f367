"""The inspector: makes an inspected manifest of layers, configuration and facts; inspects each once."""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack
from dataclasses import replace
from functools import partial

import structlog

from policy.assessment.composing import MANY, Composer
from policy.assessment.failures import Failures
from policy.assessment.manifest_verdicts import artifact_subject, image_subject, index_subject
from policy.assessment.settings import InspectionSettings
from policy.inspection.detectors import DETECTORS, names
from policy.inspection.facts import ImageFacts, Problem
from policy.inspection.image_kind import ImageKind, encrypted_layers, image_kind, kind_by_types
from policy.inspection.layer.named_table import table_annotations
from policy.inspection.layer.report import LayerInspection
from policy.inspection.worker.job import Inspected
from policy.inspection.worker.pool import InspectionWorkers
from policy.inspection.worker.urgency import Urgency
from policy.results import layers as inspected_layers
from policy.results import manifests as inspected_manifests
from policy.results import newly_inspected
from policy.results.manifests import InspectedManifest
from policy.results.store import ResultStore
from registry.caches import SizedCache
from registry.content.manifests import content_of
from registry.metadata import manifests
from registry.metadata.store import MetadataStore
from registry.oci.descriptor import Descriptor
from registry.oci.digest import Digest
from registry.oci.errors import ContentTooLarge, ManifestInvalid
from registry.oci.manifest import ImageIndex, ImageManifest, Manifest, parse_manifest
from registry.oci.names import RepositoryName
from registry.storage.blob_store import BlobStore

CURRENT = ",".join(names(DETECTORS))
_SUBJECTS = 2000
_DAMAGED = "an inspection worker read bytes of another digest"
# Inspections are cached unpacked; in memory they take about this many times their stored size.
_UNPACKED = 8
_COMPOSED = 200
_AGAIN_SECONDS = 0.1
"""How often it is asked whether another node has inspected a layer."""
_TOGETHER = 128
"""Layers that are looked up before others get their turn."""

_Parts = tuple[tuple[str, str, int, tuple[tuple[str, str], ...]], ...]
_Composed = SizedCache[_Parts, InspectedManifest]
"""What is known of configuration and layers, by all that composing reads of a manifest. Forgotten as a whole."""


class Inspector:
    """Inspected manifests by digest. Each layer is inspected once, also for concurrent callers."""

    def __init__(
        self,
        storage: BlobStore,
        metadata: MetadataStore,
        results: ResultStore,
        settings: InspectionSettings,
        settled: Callable[[InspectedManifest, bool], None],
    ) -> None:
        """Start nothing. `settled` is called with each new inspected manifest, and whether it replaces another."""
        self._storage = storage
        self._metadata = metadata
        self._results = results
        self._settled = settled
        self._config_bytes = settings.config_bytes
        self._composer = Composer(settings.image_budgets.budgets())
        self._subjects: SizedCache[str, InspectedManifest] = SizedCache(_SUBJECTS)
        self._running: dict[str, tuple[asyncio.Task[InspectedManifest | None], Urgency]] = {}
        self._composed: _Composed = SizedCache(_COMPOSED)
        self.failures = Failures()
        self._layers: SizedCache[str, LayerInspection] = SizedCache(settings.cache_bytes // _UNPACKED)
        self.turns = results.layer_turns(CURRENT)
        self.workers = InspectionWorkers(settings.worker_limits(), self._keep_inspection)

    def recorded(self, digest: str, *, remember: bool = True) -> InspectedManifest | None:
        """The inspected manifest on record, without inspecting. `remember`: as the next caller may ask for it too."""
        subject = self._subjects.get(digest)
        if subject is None:
            subject = self._results.read(inspected_manifests.find, digest, CURRENT)
            if subject is not None and remember:
                self._remember(subject)
        return subject

    async def subject(
        self, repository: RepositoryName, digest: Digest, *, wait: float, manifest: Manifest | None = None
    ) -> InspectedManifest | None:
        """The inspected manifest, inspected on demand; `None` when that takes longer than `wait` seconds.

        Args:
            repository: where the manifest is, or is about to be.
            digest: its name.
            wait: seconds; the work continues after them.
            manifest: the manifest when it is being pushed; an unfinished earlier inspection is then repeated.
        """
        by_types = None if manifest is None else _by_types(digest, manifest)
        if by_types is not None:
            return self._settle(by_types)
        alike = self._seen_alike(digest, manifest)
        if alike is not None:
            return alike
        earlier = self.recorded(digest)
        if earlier is not None and (earlier.final or manifest is None) and not self.failures.is_due(earlier):
            return earlier
        if isinstance(manifest, ImageManifest) and digest not in self._running and self._is_at_hand(manifest):
            return self._settle(await self._image(digest, manifest, Urgency(self.workers, urgent=True)))
        running = self._looking(repository, digest, manifest)
        done, _ = await asyncio.wait({running}, timeout=wait)
        return running.result() if done else None

    async def renew(self, repository: RepositoryName, digest: Digest) -> None:
        """Inspect, in the background, a manifest without results or with those of earlier detectors."""
        earlier = self.recorded(digest)
        if earlier is None or earlier.detectors not in {"", CURRENT}:
            await self._looking(repository, digest, None, urgent=False)

    def is_looking(self, digest: str) -> bool:
        """Whether the manifest is being inspected."""
        return digest in self._running

    def forget(self, digest: str) -> None:
        """Remove a manifest from the caches, because policy.db was told to inspect it again."""
        self._subjects.pop(digest)
        self._composed = SizedCache(_COMPOSED)

    def let_go(self, digests: Iterable[str]) -> None:
        """Remove manifests from memory, because policy.db has them no more: pushed again, they are put there again."""
        for digest in digests:
            self._subjects.pop(digest)

    def forget_all(self) -> None:
        """Clear the caches, because another process changed policy.db."""
        self._subjects.clear()
        self._composed = SizedCache(_COMPOSED)
        self._layers.clear()

    def use(self, settings: InspectionSettings) -> None:
        """Use other limits for later inspections; earlier results stay valid."""
        self._config_bytes = settings.config_bytes
        self._composer.budgets = settings.image_budgets.budgets()
        self._composed = SizedCache(_COMPOSED)
        self._layers.resize(settings.cache_bytes // _UNPACKED)
        self.workers.apply_limits(settings.worker_limits())

    def close(self) -> None:
        """End the workers; waiting inspections are repeated after the next start."""
        self.workers.close()
        self.turns.close()
        self._composer.close()

    def _looking(
        self, repository: RepositoryName, digest: Digest, manifest: Manifest | None, *, urgent: bool = True
    ) -> "asyncio.Task[InspectedManifest | None]":
        if digest in self._running:
            running, urgency = self._running[digest]
            if urgent:
                urgency.hasten()
            return running
        urgency = Urgency(self.workers, urgent=urgent)
        running = asyncio.create_task(self._look(repository, digest, manifest, urgency))
        self._running[digest] = running, urgency
        running.add_done_callback(lambda _task: self._running.pop(digest, None))
        return running

    async def _look(
        self, repository: RepositoryName, digest: Digest, manifest: Manifest | None, urgency: Urgency
    ) -> InspectedManifest | None:
        content = manifest or await self._manifest(repository, digest)
        if content is None:
            return None
        if isinstance(content, ImageIndex):
            return self._settle(index_subject(digest, content))
        kind, problems = await image_kind(content, self._storage, self._config_bytes)
        if kind is ImageKind.ARTIFACT:
            return self._settle(artifact_subject(digest, content))
        if kind is ImageKind.UNCLEAR:
            return self._settle(image_subject(digest, _unread(content, problems), CURRENT))
        image = await self._image(digest, content, urgency)
        return None if self.workers.closed else self._settle(image)

    async def _manifest(self, repository: RepositoryName, digest: Digest) -> Manifest | None:
        row = await self._metadata.read(manifests.find, repository, digest)
        raw = None if row is None else await content_of(self._storage, self._metadata, repository, row)
        if row is None or raw is None:
            return None
        try:
            return parse_manifest(raw, row.media_type)
        except ManifestInvalid:  # it was accepted once: a limit or a rule has changed since
            return None

    def _is_at_hand(self, manifest: ImageManifest) -> bool:
        return (
            len(manifest.layers) <= MANY
            and kind_by_types(manifest) is ImageKind.IMAGE
            and all(self._layers.get(item.digest) is not None for item in manifest.layers)
        )

    def _seen_alike(self, digest: str, manifest: Manifest | None) -> InspectedManifest | None:
        """The result for another manifest of an image that was composed before; reads nothing."""
        if not isinstance(manifest, ImageManifest) or digest in self._subjects or digest in self._running:
            return None
        parts = _parts(manifest)
        composed = None if parts is None else self._composed.get(parts)
        if composed is None:
            return None
        subject = composed.named(digest)
        self._remember(subject)
        self._results.gather(newly_inspected.save, subject)
        self._settled(subject, False)
        return subject

    async def _image(self, digest: str, manifest: ImageManifest, urgency: Urgency) -> InspectedManifest:
        """The inspected manifest of an image. The same configuration and layers make the same image."""
        parts, composed = _parts(manifest), self._composed
        subject = None if parts is None else composed.get(parts)
        if subject is None:
            facts, platform = await self._look_into(manifest, urgency)
            make = partial(image_subject, "", facts, CURRENT)
            subject = replace(make() if parts else await self._composer.beside(make), platform=platform)
            # After a `forget_all` meanwhile, this goes to a cache that is no longer used.
            if parts is not None and not facts.problems:
                composed.put(parts, subject)
        return subject.named(digest)

    async def _look_into(self, manifest: ImageManifest, urgency: Urgency) -> tuple[ImageFacts, str]:
        """The facts of an image, and what it says that it runs on."""
        encrypted = encrypted_layers(manifest)
        if encrypted:
            return _unread(manifest, encrypted), ""
        config = await self._config(manifest.config)
        platform = await self._composer.platform(config) if isinstance(config, bytes) else ""
        looked = await self._all_layers(manifest, urgency)
        problems = [item for item in (config, *looked) if isinstance(item, Problem)]
        layers = [item for item in looked if isinstance(item, LayerInspection)]
        if problems or not isinstance(config, bytes):
            return _unread(manifest, problems), platform
        return await self._composer.facts(config, layers, manifest.layers), platform

    async def _all_layers(self, manifest: ImageManifest, urgency: Urgency) -> Sequence[LayerInspection | Problem]:
        """What is known of each layer, in the manifest's order; one that is named many times is looked up once."""
        found: dict[Digest, LayerInspection | Inspected | None] = {}
        distinct = list(dict.fromkeys(item.digest for item in manifest.layers))
        for start in range(0, len(distinct), _TOGETHER):
            if start:
                await asyncio.sleep(0)
            some = distinct[start : start + _TOGETHER]
            found.update(zip(some, await self._some_layers(some, urgency), strict=True))
        return [_told(found[item.digest], item.digest, index) for index, item in enumerate(manifest.layers)]

    async def _some_layers(
        self, digests: Sequence[Digest], urgency: Urgency
    ) -> Sequence[LayerInspection | Inspected | None]:
        cached = [layer for digest in digests if (layer := self._layers.get(digest)) is not None]
        if len(cached) == len(digests):
            return cached
        return await asyncio.gather(*(self._layer(digest, urgency) for digest in digests))

    async def _config(self, descriptor: Descriptor) -> bytes | Problem:
        try:
            raw = await self._storage.get(descriptor.digest, self._config_bytes)
        except ContentTooLarge:
            return Problem("unreadable-config", f"the configuration is larger than {self._config_bytes} bytes")
        if raw is None:
            return Problem("missing-config", f"the configuration {descriptor.digest} is not in this registry")
        if len(raw) != descriptor.size:
            return Problem(
                "unreadable-config",
                f"the configuration has {len(raw)} bytes, the manifest says {descriptor.size}",
            )
        return raw

    async def _layer(self, digest: Digest, urgency: Urgency) -> LayerInspection | Inspected | None:
        """The inspection of a layer; why there is none, if it failed, and `None` if the layer is missing."""
        cached = self._layers.get(digest)
        if cached is not None:
            return cached
        inspected = await self._inspected(digest, urgency)
        if inspected is None or inspected.failure:
            return inspected
        loop = asyncio.get_running_loop()
        layer = await loop.run_in_executor(self._composer.threads, _unpack, inspected.body, digest)
        self._layers.put(digest, layer, len(inspected.body))
        return layer

    async def _inspected(self, digest: Digest, urgency: Urgency) -> Inspected | None:
        """What is found in a layer: stored, being looked for here or by another node, or looked for now."""
        while True:
            inspected = self._results.read(inspected_layers.find, digest, CURRENT)
            if inspected is not None:
                return inspected
            job = urgency.under_way(digest)
            if job is not None:
                return await asyncio.wrap_future(job.future)
            if await self.turns.take(digest):
                return await self._read_layer(digest, urgency)
            await asyncio.sleep(_AGAIN_SECONDS)

    async def _read_layer(self, digest: Digest, urgency: Urgency) -> Inspected | None:
        with ExitStack() as unread:
            unread.callback(self.turns.done, digest)
            # It may have been stored between the two reads.
            inspected = self._results.read(inspected_layers.find, digest, CURRENT)
            blob = await self._storage.stat(digest) if inspected is None else None
            if blob is None:
                return inspected
            job = urgency.read(digest, blob.open)
            unread.pop_all()
        return await asyncio.wrap_future(job.future)

    def _keep_inspection(self, digest: str, inspected: Inspected) -> None:
        if inspected.damaged is not None:
            self._storage.quarantine.set_aside(Digest(digest), inspected.damaged, _DAMAGED)
        try:
            if not inspected.passing:  # else a later request inspects it again
                self._results.write(inspected_layers.save, digest, CURRENT, inspected)
        except Exception as error:  # noqa: BLE001 - the answer stands; without policy.db it is only not remembered
            structlog.get_logger(__name__).warning(
                "what was found in a layer could not be kept", layer=digest, reason=str(error)
            )
        self.turns.done(digest)

    def _settle(self, subject: InspectedManifest) -> InspectedManifest:
        before = self._subjects.get(subject.manifest)
        if before != subject:
            self._remember(subject)
            self._results.gather(inspected_manifests.save, subject)
            self._settled(subject, before is not None)
        return subject

    def _remember(self, subject: InspectedManifest) -> None:
        self._subjects.put(subject.manifest, subject)


def _parts(manifest: ImageManifest) -> _Parts | None:
    """All that composing reads of a manifest; `None` for one with too many layers to remember."""
    if len(manifest.layers) > MANY:
        return None
    return tuple(
        (item.media_type, item.digest, item.size, table_annotations(item.annotations))
        for item in (manifest.config, *manifest.layers)
    )


def _told(found: LayerInspection | Inspected | None, digest: Digest, index: int) -> LayerInspection | Problem:
    """A layer's inspection, or why there is none, at this place of the manifest."""
    if found is None:
        return Problem("missing-layer", f"layer {index} ({digest}) is not in this registry", digest, index)
    if isinstance(found, Inspected):
        return Problem("inspection-failed", f"layer {index} could not be read: {found.failure}", digest, index)
    return found


def _by_types(digest: str, manifest: Manifest) -> InspectedManifest | None:
    """The kind of a manifest, if its media types tell it."""
    if isinstance(manifest, ImageIndex):
        return index_subject(digest, manifest)
    return artifact_subject(digest, manifest) if kind_by_types(manifest) is ImageKind.ARTIFACT else None


def _unread(manifest: ImageManifest, problems: Sequence[Problem]) -> ImageFacts:
    digests = tuple(item.digest for item in manifest.layers)
    return ImageFacts(problems=tuple(problems), detectors=names(DETECTORS), layers=digests)


def _unpack(body: bytes, digest: str) -> LayerInspection:
    layer = LayerInspection.from_bytes(body)
    problem = None if layer.problem is None else replace(layer.problem, layer=digest)
    return replace(layer, digest=digest, problem=problem)

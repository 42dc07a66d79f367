"""Garbage collection against a model: after any history, what is left is what can be reached."""

import contextlib
import tempfile
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from registry.oci.digest import Digest
from registry.oci.errors import BlobUnknown, ManifestBlobUnknown, ManifestUnknown, NameUnknown, Unsupported
from registry.oci.names import RepositoryName, Tag
from tests.registry.content.test_gc import recorded
from tests.registry.open_services import (
    OTHER,
    PUSHER,
    REPOSITORY,
    image,
    index,
    open_services,
)

REPOSITORIES = st.sampled_from([REPOSITORY, OTHER])
LAYERS = st.lists(st.sampled_from([b"a", b"b", b"c"]), max_size=2)
TAGS = st.sampled_from([Tag("v1"), Tag("v2")])


class GcMachine(RuleBasedStateMachine):
    """The model: for each repository the manifests it records, with what each of them names."""

    def __init__(self) -> None:
        super().__init__()
        self.stack = contextlib.ExitStack()
        folder = Path(self.stack.enter_context(tempfile.TemporaryDirectory()))
        self.services = self.stack.enter_context(open_services(folder, gc={"grace_seconds": 0}))
        self.recorded: dict[RepositoryName, dict[bytes, list[bytes]]] = {REPOSITORY: {}, OTHER: {}}

    def teardown(self) -> None:
        """Let go of the folder."""
        self.stack.close()

    @rule(repository=REPOSITORIES, layers=LAYERS, tag=TAGS | st.none())
    def push_image(self, repository: RepositoryName, layers: list[bytes], tag: Tag | None) -> None:
        """An image of a few layers that others use as well."""
        self.services.run(self.services.push_image(tag, layers, repository))
        self.recorded[repository][image(layers)] = [b"{}", *layers]

    @rule(repository=REPOSITORIES, layers=LAYERS, tag=TAGS)
    def push_index(self, repository: RepositoryName, layers: list[bytes], tag: Tag) -> None:
        """An index over an image, if that is there."""
        with contextlib.suppress(ManifestBlobUnknown):
            self.services.run(self.services.push_manifest(index(image(layers)), tag, repository))
            self.recorded[repository][index(image(layers))] = []

    @rule(repository=REPOSITORIES, content=st.sampled_from([b"a", b"b", b"orphan"]))
    def push_blob(self, repository: RepositoryName, content: bytes) -> None:
        """A blob that no manifest may ever name."""
        self.services.run(self.services.push_blob(content, repository))

    @rule(content=st.sampled_from([b"a", b"b", b"{}"]))
    def mount(self, content: bytes) -> None:
        """A blob of one repository in the other."""
        self.services.run(self.services.blobs.mount(PUSHER, OTHER, Digest.of(content), REPOSITORY, lambda _name: True))

    @rule(repository=REPOSITORIES, layers=LAYERS, of_index=st.booleans())
    def delete(self, repository: RepositoryName, layers: list[bytes], of_index: bool) -> None:
        """A manifest, if it is there."""
        raw = index(image(layers)) if of_index else image(layers)
        with contextlib.suppress(ManifestUnknown, NameUnknown):
            self.services.run(self.services.manifests.delete(repository, Digest.of(raw)))
            del self.recorded[repository][raw]

    @rule(repository=REPOSITORIES, content=st.sampled_from([b"a", b"b", b"orphan"]))
    def delete_blob(self, repository: RepositoryName, content: bytes) -> None:
        """A blob, if it is there and not in use."""
        with contextlib.suppress(BlobUnknown, Unsupported):
            self.services.run(self.services.blobs.delete(repository, Digest.of(content)))

    @rule()
    def collect(self) -> None:
        """Exactly what manifests name is left, and the manifests."""
        self.services.run(self.services.collector.run())
        assert self.services.run(self.stored()) == self.live()

    @invariant()
    def nothing_recorded_is_lost(self) -> None:
        """At any time."""
        assert self.live() <= self.services.run(self.stored())

    def live(self) -> set[Digest]:
        """What the model's manifests consist of."""
        contents = [
            content
            for manifests in self.recorded.values()
            for raw, named in manifests.items()
            for content in (raw, *named)
        ]
        return {Digest.of(content) for content in contents}

    async def stored(self) -> set[Digest]:
        """What the store holds, and the manifests."""
        return {blob.digest async for blob in self.services.storage.blobs()} | await self.services.metadata.read(
            recorded
        )


TestGc = GcMachine.TestCase
TestGc.settings = settings(max_examples=20, stateful_step_count=20, deadline=None)

"""A client that pushes to one repository, and writes down what it was told."""

import json
from typing import Any

from registry.oci import media_types
from registry.oci.digest import Digest
from tests.crash.acknowledged import NOTHING, Acknowledged, Key
from tests.crash.wire import Answer, Wire

CONFIG = b"{}"
SMALL, LARGE = 3_000, 150_000


class Caller:
    """One at a time uses its wire.

    Attributes:
        refusals: answers that were no acknowledgement: method, path, answer.
    """

    def __init__(self, wire: Wire, known: Acknowledged, repository: str, name: str) -> None:
        self.wire = wire
        self.known = known
        self.repository = repository
        self.refusals: list[tuple[str, str, Answer]] = []
        self._name = name
        self._number = 0

    def content(self, size: int) -> bytes:
        """Bytes that nobody else has."""
        self._number += 1
        line = f"{self._name} {self._number} ".encode()
        return (line * (size // len(line) + 1))[:size]

    def ask(
        self, method: str, rest: str, body: bytes = b"", changes: dict[Key, str] | None = None, **fields: str
    ) -> Answer | None:
        """A request in the repository, or at a whole path; the answer when it was acknowledged."""
        changes = changes or {}
        self.known.begin(changes)
        path = rest if rest.startswith("/") else f"/v2/{self.repository}/{rest}"
        answer = self.wire.ask(method, path, body, **fields)
        if answer.status >= 300:
            self.refusals.append((method, path, answer))
            return None
        # A mount that is answered with 202 is a new session.
        if answer.status != 202 or method != "POST":
            self.known.done(changes)
        return answer

    def key(self, digest: str, kind: str = "blob") -> Key:
        """The key of something in the repository."""
        return (kind, self.repository, digest)

    def blob(self, content: bytes) -> str:
        """POST and PUT."""
        opened = self.ask("POST", "blobs/uploads/")
        if opened:
            self.finish(opened, content, content)
        return str(Digest.of(content))

    def finish(self, opened: Answer, rest: bytes, content: bytes) -> Answer | None:
        """PUT the rest of a session."""
        digest = str(Digest.of(content))
        place = opened.fields["location"]
        place += f"{'&' if '?' in place else '?'}digest={digest}"
        return self.ask("PUT", place, rest, {self.key(digest): digest})

    def patch(self, opened: Answer, chunk: bytes, start: int) -> Answer | None:
        """PATCH a chunk."""
        span = f"{start}-{start + len(chunk) - 1}"
        return self.ask("PATCH", opened.fields["location"], chunk, Content_Range=span)

    def whole(self, content: bytes) -> str:
        """POST with everything in it."""
        digest = str(Digest.of(content))
        self.ask("POST", f"blobs/uploads/?digest={digest}", content, {self.key(digest): digest})
        return digest

    def mount(self, digest: str, source: str) -> Answer | None:
        """POST that asks for a mount."""
        changes = {self.key(digest): digest}
        return self.ask("POST", f"blobs/uploads/?mount={digest}&from={source}", changes=changes)

    def document(self, *layers: bytes, subject: bytes = b"") -> bytes:
        """An image manifest over blobs that are there."""
        made: dict[str, Any] = {
            "schemaVersion": 2,
            "mediaType": media_types.OCI_MANIFEST,
            "config": described(CONFIG, media_types.OCI_CONFIG),
            "layers": [described(layer, "application/octet-stream") for layer in layers],
            "annotations": {"number": self.content(20).decode()},
        }
        if subject:
            made |= {"subject": described(subject, media_types.OCI_MANIFEST), "artifactType": "application/x.test"}
        return json.dumps(made).encode()

    def manifest(self, raw: bytes, tag: str = "", media_type: str = media_types.OCI_MANIFEST) -> Answer | None:
        """PUT under a tag or under its digest."""
        digest = self.known.manifest(raw)
        changes = {self.key(digest, "manifest"): digest}
        if tag:
            changes[self.key(tag, "tag")] = digest
        return self.ask("PUT", f"manifests/{tag or digest}", raw, changes, Content_Type=media_type)

    def index(self, *children: bytes) -> bytes:
        """An index over manifests that are there."""
        manifests = [described(child, media_types.OCI_MANIFEST) for child in children]
        annotations = {"number": self.content(20).decode()}
        document = {"schemaVersion": 2, "mediaType": media_types.OCI_INDEX, "manifests": manifests}
        return json.dumps(document | {"annotations": annotations}).encode()

    def image(self, tag: str = "", size: int = SMALL) -> bytes:
        """Everything an image needs, and the image; its manifest."""
        layer = self.content(size)
        for content in (CONFIG, layer):
            self.blob(content)
        raw = self.document(layer)
        self.manifest(raw, tag)
        return raw

    def delete_tag(self, tag: str) -> Answer | None:
        """DELETE a tag."""
        return self.ask("DELETE", f"manifests/{tag}", changes={self.key(tag, "tag"): NOTHING})

    def delete_manifest(self, digest: str) -> Answer | None:
        """DELETE a manifest, with the tags that point to it."""
        tags = self.known.tags_of(self.repository, digest)
        return self.ask(
            "DELETE", f"manifests/{digest}", changes=dict.fromkeys([self.key(digest, "manifest"), *tags], NOTHING)
        )

    def delete_blob(self, digest: str) -> Answer | None:
        """DELETE a blob that no manifest needs."""
        return self.ask("DELETE", f"blobs/{digest}", changes={self.key(digest): NOTHING})


def described(content: bytes, media_type: str) -> dict[str, Any]:
    """The descriptor of some bytes."""
    return {"mediaType": media_type, "digest": str(Digest.of(content)), "size": len(content)}

"""A repository of a live registry as a client sees it: pushing blobs, images and indexes in the fewest requests."""

import json
from dataclasses import dataclass
from typing import Any

import httpx

from registry.oci import media_types
from registry.oci.digest import Digest

EMPTY_JSON = b"{}"
# distribution-spec, "Error Codes"
CODES = """
    BLOB_UNKNOWN BLOB_UPLOAD_INVALID BLOB_UPLOAD_UNKNOWN DIGEST_INVALID MANIFEST_BLOB_UNKNOWN MANIFEST_INVALID
    MANIFEST_UNKNOWN NAME_INVALID NAME_UNKNOWN SIZE_INVALID UNAUTHORIZED DENIED UNSUPPORTED TOOMANYREQUESTS
"""


@dataclass(frozen=True, slots=True)
class Pushed:
    """Content that the registry has taken."""

    digest: Digest
    raw: bytes
    media_type: str

    @property
    def descriptor(self) -> dict[str, Any]:
        """How other content names it."""
        return {"mediaType": self.media_type, "digest": self.digest, "size": len(self.raw)}


@dataclass(frozen=True, slots=True)
class Repository:
    """One repository name and the client to reach it with."""

    client: httpx.Client
    name: str

    def url(self, rest: str) -> str:
        """The path of something in the repository: `tags/list`, `blobs/sha256:…`."""
        return f"/v2/{self.name}/{rest}"

    def beside(self, suffix: str) -> "Repository":
        """Another repository."""
        return Repository(self.client, f"{self.name}-{suffix}")

    def get(self, rest: str, **options: Any) -> httpx.Response:
        """GET something in the repository."""
        return self.client.get(self.url(rest), **options)

    def head(self, rest: str, **options: Any) -> httpx.Response:
        """HEAD something in the repository."""
        return self.client.head(self.url(rest), **options)

    def delete(self, rest: str) -> httpx.Response:
        """DELETE something in the repository."""
        return self.client.delete(self.url(rest))

    def open_upload(self, **query: str) -> str:
        """The path of a new upload session."""
        answer = self.client.post(self.url("blobs/uploads/"), params=query)
        assert answer.status_code == 202, answer.text
        return answer.headers["location"]

    def blob(self, content: bytes, media_type: str = "application/octet-stream", algorithm: str = "sha256") -> Pushed:
        """Push a blob in one request after the opening one."""
        digest = Digest.of(content, algorithm)
        upload = httpx.URL(self.open_upload()).copy_merge_params({"digest": digest})
        answer = self.client.put(upload, content=content)
        assert answer.status_code == 201, answer.text
        return Pushed(digest, content, media_type)

    def put(self, reference: str, document: Any, media_type: str = media_types.OCI_MANIFEST) -> httpx.Response:
        """PUT a manifest; bytes go as they are, anything else as JSON."""
        raw = document if isinstance(document, bytes) else json.dumps(document).encode()
        return self.client.put(self.url(f"manifests/{reference}"), content=raw, headers={"Content-Type": media_type})

    def image_document(self, *layers: Pushed, **members: Any) -> dict[str, Any]:
        """An image manifest over layers that are there, with an empty configuration; members are added."""
        config = self.blob(EMPTY_JSON, media_types.OCI_CONFIG)
        return {
            "schemaVersion": 2,
            "mediaType": media_types.OCI_MANIFEST,
            "config": config.descriptor,
            "layers": [layer.descriptor for layer in layers],
            **members,
        }

    def image(self, reference: str = "", *layers: Pushed, **members: Any) -> Pushed:
        """Push an image under a tag, or by digest when the reference is empty."""
        return self._manifest(reference, self.image_document(*layers, **members), media_types.OCI_MANIFEST)

    def index(self, reference: str = "", *children: Pushed, **members: Any) -> Pushed:
        """Push an index of manifests that are there."""
        manifests = [child.descriptor for child in children]
        document = {"schemaVersion": 2, "mediaType": media_types.OCI_INDEX, "manifests": manifests, **members}
        return self._manifest(reference, document, media_types.OCI_INDEX)

    def _manifest(self, reference: str, document: dict[str, Any], media_type: str) -> Pushed:
        raw = json.dumps(document).encode()
        digest = Digest.of(raw)
        answer = self.put(reference or digest, raw, media_type)
        assert answer.status_code == 201, answer.text
        return Pushed(digest, raw, media_type)


def code_of(answer: httpx.Response) -> str:
    """The error code of a refusal, which must have the form of the specification."""
    (error,) = answer.json()["errors"]
    assert set(error) <= {"code", "message", "detail"}
    assert isinstance(error["message"], str)
    assert error["message"]
    assert error["code"] in CODES.split()
    return str(error["code"])

"""Archives and layouts made in code, right ones and wrong ones."""

import gzip
import hashlib
import io
import json
import tarfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from policy.inspection.archive.zstandard import zstd
from registry.config.transfer import TransferSettings
from registry.oci import media_types
from registry.transfer.contents import Source
from registry.transfer.opening import open_stream

LIMITS = TransferSettings()
LAYER = b"a layer, by the looks of it".ljust(3000, b".")
Entry = dict[str, Any]
Member = tuple[str, bytes | str]
"""A name, and content; a str is the target of a symbolic link."""


def tar(*members: Member, form: int = tarfile.PAX_FORMAT) -> bytes:
    """A tar of members, in this order; the same name may come twice."""
    held = io.BytesIO()
    with tarfile.open(fileobj=held, mode="w", format=form) as archive:
        for name, content in members:
            member = tarfile.TarInfo(name)
            if isinstance(content, str):
                member.type, member.linkname = tarfile.SYMTYPE, content
                archive.addfile(member)
            else:
                member.size = len(content)
                archive.addfile(member, io.BytesIO(content))
    return held.getvalue()


def hard_link(name: str, target: str) -> bytes:
    """The block of a hard link, to be put before an archive."""
    member = tarfile.TarInfo(name)
    member.type, member.linkname = tarfile.LNKTYPE, target
    return member.tobuf(tarfile.USTAR_FORMAT)


def sha256(content: bytes) -> str:
    """Its digest."""
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def config_of(layers: Sequence[bytes], architecture: str = "amd64") -> bytes:
    """An image's configuration over uncompressed layers."""
    rootfs = {"type": "layers", "diff_ids": [sha256(layer) for layer in layers]}
    return json.dumps({"os": "linux", "architecture": architecture, "rootfs": rootfs}).encode()


def docker_members(
    layers: Mapping[str, bytes], tags: Sequence[str] = ("team/app:v1",), plain: Sequence[bytes] | None = None
) -> list[Member]:
    """The members of an archive of one image: its layers by member name; `plain`: the same uncompressed."""
    config = config_of(plain or list(layers.values()))
    entry = {"Config": "config.json", "RepoTags": list(tags), "Layers": list(layers)}
    return [*layers.items(), ("config.json", config), ("manifest.json", json.dumps([entry]).encode())]


def compressed(form: str, content: bytes) -> bytes:
    """Content as `gzip` or `zstd`."""
    return gzip.compress(content, mtime=0) if form == "gzip" else zstd.compress(content)


def opened(archive: bytes, limits: TransferSettings = LIMITS) -> Source:
    """The source that an archive is."""
    return open_stream(io.BytesIO(archive), limits)


class MadeLayout:
    """The files of an OCI layout in memory, whose index.json lists what `add` was given a name for, or told to list."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {"oci-layout": b'{"imageLayoutVersion":"1.0.0"}'}
        self.entries: list[dict[str, Any]] = []

    def blob(self, content: bytes, media_type: str = "application/octet-stream") -> dict[str, Any]:
        """Add content; its descriptor."""
        digest = sha256(content)
        self.files[f"blobs/sha256/{digest[7:]}"] = content
        return {"mediaType": media_type, "digest": digest, "size": len(content)}

    def manifest(
        self, contents: Sequence[bytes] = (LAYER,), architecture: str = "amd64", **more: Any
    ) -> dict[str, Any]:
        """Add an image; its descriptor, with its platform."""
        document = {
            "schemaVersion": 2,
            "mediaType": media_types.OCI_MANIFEST,
            "config": self.blob(config_of(contents, architecture), media_types.OCI_CONFIG),
            "layers": [self.blob(layer, media_types.OCI_LAYER) for layer in contents],
        }
        made = self.blob(json.dumps(document | more).encode(), media_types.OCI_MANIFEST)
        return {**made, "platform": {"os": "linux", "architecture": architecture}}

    def index(self, *children: Mapping[str, Any], **more: Any) -> dict[str, Any]:
        """Add an index; its descriptor."""
        document = {"schemaVersion": 2, "mediaType": media_types.OCI_INDEX, "manifests": list(children)}
        return self.blob(json.dumps(document | more).encode(), media_types.OCI_INDEX)

    def listed(self, descriptor: Mapping[str, Any], name: str = "") -> "MadeLayout":
        """List an entry in index.json, under a name or without."""
        annotations = {"annotations": {"org.opencontainers.image.ref.name": name}} if name else {}
        self.entries.append({**descriptor, **annotations})
        return self

    def all_files(self) -> dict[str, bytes]:
        """Every file by its name."""
        document = {"schemaVersion": 2, "mediaType": media_types.OCI_INDEX, "manifests": self.entries}
        return {**self.files, "index.json": json.dumps(document).encode()}

    def tar(self) -> bytes:
        """The layout as a tar."""
        return tar(*self.all_files().items())

    def folder(self, place: Path) -> Path:
        """The layout as a folder."""
        for name, content in self.all_files().items():
            (place / name).parent.mkdir(parents=True, exist_ok=True)
            (place / name).write_bytes(content)
        return place

    def source(self) -> Source:
        """The layout as a source."""
        return opened(self.tar())


def referrer_of(layout: MadeLayout, subject: Mapping[str, Any], content: bytes = b"a signature") -> dict[str, Any]:
    """Add an artifact that refers to a manifest; its descriptor."""
    members = {name: subject[name] for name in ("mediaType", "digest", "size")}
    return layout.manifest((content,), artifactType="application/vnd.example.signature", subject=members)

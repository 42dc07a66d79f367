"""Images made of files: layers, a configuration and a manifest (image-spec), the same bytes for the same files."""

import gzip
import io
import json
import tarfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from registry.oci import media_types
from registry.oci.canonical_json import canonical_json
from registry.oci.digest import Digest


@dataclass(frozen=True, slots=True)
class Link:
    """In the place of content: a symbolic link to `target`."""

    target: str


Files = Mapping[str, str | bytes | Link]
"""Path -> content; text is UTF-8; a path that ends with a slash is a folder. What lies in a `bin` may be executed."""


@dataclass(frozen=True, slots=True)
class MadeImage:
    """An image in memory.

    Attributes:
        manifest: its bytes.
        blobs: configuration and layers by digest.
    """

    manifest: bytes
    blobs: Mapping[Digest, bytes]

    @property
    def digest(self) -> Digest:
        """Of the manifest."""
        return Digest.of(self.manifest)


def make_image(
    layers: Sequence[Files], config: Mapping[str, Any], *, os: str = "linux", architecture: str = "amd64"
) -> MadeImage:
    """An image of these layers, the lowest first.

    Args:
        layers: the files of each; `.wh.NAME` removes what a lower one has.
        config: the member `config` of the configuration: `{"Env": […], "Cmd": […], …}`.
        os: of its platform.
        architecture: of its platform.
    """
    tars = [_tar(files) for files in layers]
    packed = [gzip.compress(tar, 6, mtime=0) for tar in tars]
    document = {
        "architecture": architecture,
        "os": os,
        "config": dict(config),
        "rootfs": {"type": "layers", "diff_ids": [str(Digest.of(tar)) for tar in tars]},
    }
    raw = json.dumps(document).encode()
    manifest = {
        "schemaVersion": 2,
        "mediaType": media_types.OCI_MANIFEST,
        "config": _descriptor(media_types.OCI_CONFIG, raw),
        "layers": [_descriptor(f"{media_types.OCI_LAYER}+gzip", content) for content in packed],
    }
    return MadeImage(canonical_json(manifest), {Digest.of(content): content for content in (raw, *packed)})


def _descriptor(media_type: str, content: bytes) -> dict[str, Any]:
    return {"mediaType": media_type, "digest": str(Digest.of(content)), "size": len(content)}


def _tar(files: Files) -> bytes:
    held = io.BytesIO()
    with tarfile.open(fileobj=held, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for path, content in files.items():
            member = tarfile.TarInfo(path.rstrip("/"))
            member.mode = 0o755 if path.endswith("/") or "/bin/" in f"/{path}" else 0o644
            _add(archive, member, content, folder=path.endswith("/"))
    return held.getvalue()


def _add(archive: tarfile.TarFile, member: tarfile.TarInfo, content: str | bytes | Link, *, folder: bool) -> None:
    if folder:
        member.type = tarfile.DIRTYPE
        archive.addfile(member)
    elif isinstance(content, Link):
        member.type, member.linkname = tarfile.SYMTYPE, content.target
        archive.addfile(member)
    else:
        raw = content.encode() if isinstance(content, str) else content
        member.size = len(raw)
        archive.addfile(member, io.BytesIO(raw))

"""Images made in code: file trees -> layers -> an OCI image layout (image-spec, image-layout.md) or docker archive."""

import gzip
import hashlib
import io
import json
import tarfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

MANIFEST = "application/vnd.oci.image.manifest.v1+json"
INDEX = "application/vnd.oci.image.index.v1+json"
CONFIG = "application/vnd.oci.image.config.v1+json"
LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"
DEFAULT_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

Tree = Mapping[str, bytes | str]
"""Path -> content; a str is the target of a symbolic link; a name that ends with a slash is a folder."""


@dataclass(frozen=True)
class Image:
    """One image to be: its layers from the lowest up, and the PATH that its configuration sets."""

    layers: tuple[Tree, ...]
    path: str = DEFAULT_PATH
    architecture: str = "amd64"


def layer_tar(tree: Tree) -> bytes:
    """The uncompressed tar of one layer, the same bytes for the same tree."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for name, content in tree.items():
            member = tarfile.TarInfo(name.rstrip("/"))
            member.mode = 0o755 if name.endswith("/") or "/bin/" in f"/{name}" else 0o644
            if name.endswith("/"):
                member.type = tarfile.DIRTYPE
                archive.addfile(member)
            elif isinstance(content, str):
                member.type, member.linkname = tarfile.SYMTYPE, content
                archive.addfile(member)
            else:
                member.size = len(content)
                archive.addfile(member, io.BytesIO(content))
    return buffer.getvalue()


def layer_blob(tree: Tree) -> bytes:
    """One layer as it is pushed, the same bytes for the same tree."""
    return gzip.compress(layer_tar(tree), 6, mtime=0)


def _digest(data: bytes) -> str:
    return "sha256:" + hashlib.sha256(data).hexdigest()


def _configuration(image: Image, tars: Sequence[bytes]) -> dict[str, Any]:
    return {
        "architecture": image.architecture,
        "os": "linux",
        "config": {"Env": [f"PATH={image.path}"], "Cmd": ["/bin/sh"]},
        "rootfs": {"type": "layers", "diff_ids": [_digest(tar) for tar in tars]},
    }


class Layout:
    """An OCI image layout in a folder, as skopeo, podman, crane, oras and regctl read it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.blobs = folder / "blobs" / "sha256"
        self.blobs.mkdir(parents=True)
        self._entries: list[dict[str, Any]] = []
        self._images: dict[str, tuple[Image, ...]] = {}
        (folder / "oci-layout").write_text('{"imageLayoutVersion":"1.0.0"}')

    def _store(self, data: bytes, media_type: str) -> dict[str, Any]:
        (self.blobs / _digest(data).partition(":")[2]).write_bytes(data)
        return {"mediaType": media_type, "digest": _digest(data), "size": len(data)}

    def _store_json(self, document: Mapping[str, Any], media_type: str) -> dict[str, Any]:
        return self._store(json.dumps(document, indent=1).encode(), media_type)

    def _image(self, image: Image) -> dict[str, Any]:
        tars = [layer_tar(tree) for tree in image.layers]
        layers = [self._store(layer_blob(tree), LAYER) for tree in image.layers]
        config = _configuration(image, tars)
        manifest = {
            "schemaVersion": 2,
            "mediaType": MANIFEST,
            "config": self._store_json(config, CONFIG),
            "layers": layers,
        }
        platform = {"architecture": image.architecture, "os": "linux"}
        return {**self._store_json(manifest, MANIFEST), "platform": platform}

    def add(self, tag: str, image: Image) -> str:
        """Add an image under a tag; its digest."""
        self._images[tag] = (image,)
        return self._tag(tag, self._image(image))

    def add_index(self, tag: str, images: Sequence[Image]) -> str:
        """Add an index of images under a tag; its digest."""
        self._images[tag] = tuple(images)
        document = {"schemaVersion": 2, "mediaType": INDEX, "manifests": [self._image(image) for image in images]}
        return self._tag(tag, self._store_json(document, INDEX))

    def alone(self, tag: str, folder: Path) -> Path:
        """A layout beside this one that holds one tag only: crane pushes a layout as a whole."""
        document = {"schemaVersion": 2, "mediaType": INDEX, "manifests": [self._entry(tag)]}
        return self._beside(folder / f"alone-{tag}", json.dumps(document).encode())

    def opened(self, tag: str, folder: Path) -> Path:
        """A layout beside this one whose index.json is the index under a tag: crane pushes that as the index."""
        return self._beside(folder / f"opened-{tag}", (self.blobs / self._entry(tag)["digest"][7:]).read_bytes())

    def _entry(self, tag: str) -> dict[str, Any]:
        name = "org.opencontainers.image.ref.name"
        return next(entry for entry in self._entries if entry["annotations"][name] == tag)

    def _beside(self, target: Path, index: bytes) -> Path:
        target.mkdir(parents=True, exist_ok=True)
        if not (target / "blobs").exists():
            (target / "blobs").symlink_to(self.folder / "blobs")
        (target / "oci-layout").write_text('{"imageLayoutVersion":"1.0.0"}')
        (target / "index.json").write_bytes(index)
        return target

    def _tag(self, tag: str, descriptor: dict[str, Any]) -> str:
        self._entries.append({**descriptor, "annotations": {"org.opencontainers.image.ref.name": tag}})
        document = {"schemaVersion": 2, "mediaType": INDEX, "manifests": self._entries}
        (self.folder / "index.json").write_text(json.dumps(document))
        return str(descriptor["digest"])

    def architectures(self, tag: str) -> list[str]:
        """The architectures of the images under a tag."""
        return [image.architecture for image in self._images[tag]]

    def archive(self, tag: str, folder: Path, name: str) -> Path:
        """The layout of one tag as one tar, the image named as containerd's import wants it."""
        alone = self.alone(tag, folder)
        index = json.loads((alone / "index.json").read_text())
        index["manifests"][0]["annotations"] = {"io.containerd.image.name": name}
        (alone / "index.json").write_text(json.dumps(index))
        target = folder / f"{tag}.tar"
        with tarfile.open(target, "w", dereference=True) as archive:
            archive.add(alone, arcname=".")
        return target

    def write_docker_archive(self, tag: str, target: Path, reference: str, architecture: str = "amd64") -> None:
        """A tar that `docker load` reads (the form of `docker save`), of one architecture's image."""
        image = next(image for image in self._images[tag] if image.architecture == architecture)
        tars = [layer_tar(tree) for tree in image.layers]
        config = json.dumps(_configuration(image, tars)).encode()
        files: dict[str, bytes | str] = {f"{at}/layer.tar": tar for at, tar in enumerate(tars)}
        name = _digest(config).partition(":")[2] + ".json"
        manifest = json.dumps([{"Config": name, "RepoTags": [reference], "Layers": list(files)}]).encode()
        target.write_bytes(layer_tar({**files, name: config, "manifest.json": manifest}))

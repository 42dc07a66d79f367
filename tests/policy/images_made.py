"""Images as tests need them: a few files in, layers, configuration and manifest out."""

import gzip
import hashlib
import io
import json
import random
import tarfile
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from registry.oci import media_types
from registry.oci.digest import Digest

PREFIX = "opt/miniconda"
LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"


@dataclass(frozen=True, slots=True)
class MadeImage:
    """An image in memory."""

    manifest: bytes
    config: bytes
    layers: tuple[bytes, ...]

    @property
    def digest(self) -> Digest:
        """The manifest's."""
        return Digest.of(self.manifest)

    @property
    def blobs(self) -> tuple[bytes, ...]:
        """Everything that has to be there before the manifest."""
        return (self.config, *self.layers)


def layer(files: Mapping[str, str | bytes]) -> bytes:
    """A gzip layer; the same files give the same bytes."""
    held = io.BytesIO()
    with tarfile.open(fileobj=held, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for path, content in files.items():
            body = content.encode() if isinstance(content, str) else content
            member = tarfile.TarInfo(path)
            member.size = len(body)
            member.mode = 0o755
            archive.addfile(member, io.BytesIO(body))
    return gzip.compress(held.getvalue(), 1, mtime=0)


def record(name: str, version: str, build: str = "py36_0") -> dict[str, str]:
    """Conda's record of an installed package, as a file of a layer."""
    text = json.dumps({"name": name, "version": version, "build": build})
    return {f"{PREFIX}/conda-meta/{name}-{version}-{build}.json": text}


def base(version: str = "16.04", identifier: str = "ubuntu") -> dict[str, str]:
    """The files of an operating system."""
    return {"etc/os-release": f'ID={identifier}\nVERSION_ID="{version}"\n', "bin/sh": "\x7fELF"}


def miniconda(conda: str = "4.5.12", python: str = "3.6.8") -> dict[str, str]:
    """The files of a Miniconda in the place of the published Dockerfile."""
    series = ".".join(python.split(".")[:2])
    programs = {f"{PREFIX}/bin/conda": "#!/opt/miniconda/bin/python\n", f"{PREFIX}/bin/python{series}": "\x7fELF"}
    programs[f"{PREFIX}/bin/python"] = "\x7fELF"
    return programs | {f"{PREFIX}/conda-meta/history": ""} | record("conda", conda) | record("python", python, "h0_0")


def image(*layers: bytes, kind: str = LAYER, architecture: str = "amd64") -> MadeImage:
    """An image of these layers with Miniconda's programs on its PATH."""
    diff_ids = [f"sha256:{hashlib.sha256(_inflated(item)).hexdigest()}" for item in layers]
    config = json.dumps(
        {
            "os": "linux",
            "architecture": architecture,
            "config": {"Env": [f"PATH=/{PREFIX}/bin:/usr/bin:/bin"]},
            "rootfs": {"type": "layers", "diff_ids": diff_ids},
        }
    ).encode()
    document = {
        "schemaVersion": 2,
        "mediaType": media_types.OCI_MANIFEST,
        "config": descriptor(config, media_types.OCI_CONFIG),
        "layers": [descriptor(item, kind) for item in layers],
    }
    return MadeImage(json.dumps(document).encode(), config, layers)


def good(conda: str = "4.5.12", python: str = "3.6.8", os: str = "16.04") -> MadeImage:
    """An image after the published Dockerfile."""
    return image(layer(base(os)), layer(miniconda(conda, python)))


def bad() -> MadeImage:
    """The same with Python 3.7.0, as Miniconda's installer brings it."""
    return good(python="3.7.0")


def damaged() -> MadeImage:
    """An image whose second layer is cut short."""
    whole = layer(miniconda())
    made = image(layer(base()), whole)
    cut = whole[: len(whole) // 2]
    document = json.loads(made.manifest)
    document["layers"][1] = descriptor(cut, LAYER)
    return MadeImage(json.dumps(document).encode(), made.config, (made.layers[0], cut))


def artifact() -> MadeImage:
    """Something that is not an image."""
    config, content = b"{}", b"a chart"
    document = {
        "schemaVersion": 2,
        "mediaType": media_types.OCI_MANIFEST,
        "config": descriptor(config, "application/vnd.cncf.helm.config.v1+json"),
        "layers": [descriptor(content, "application/vnd.cncf.helm.chart.content.v1.tar+gzip")],
    }
    return MadeImage(json.dumps(document).encode(), config, (content,))


def index(*children: tuple[bytes, str], **members: Any) -> bytes:
    """An index over manifests, each with its platform `os/architecture`."""
    entries = []
    for manifest, platform in children:
        system, _, architecture = platform.partition("/")
        entry = descriptor(manifest, media_types.OCI_MANIFEST)
        entries.append(entry | {"platform": {"os": system, "architecture": architecture}} if platform else entry)
    document = {"schemaVersion": 2, "mediaType": media_types.OCI_INDEX, "manifests": entries}
    return json.dumps(document | members).encode()


def descriptor(content: bytes, media_type: str) -> dict[str, Any]:
    """The descriptor of some bytes."""
    return {"mediaType": media_type, "digest": Digest.of(content), "size": len(content)}


def noise(size: int, seed: int = 0) -> bytes:
    """Bytes that do not compress, the same for the same seed."""
    return random.Random(seed).randbytes(size)  # noqa: S311 - test data


def _inflated(content: bytes) -> bytes:
    return gzip.decompress(content)

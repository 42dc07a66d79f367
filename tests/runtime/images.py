"""Images that run: a base with busybox as their shell, prefixes whose programs say who they are, any configuration."""

import json
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from registry.oci.digest import Digest
from tests.corpus.builders import (
    CONFIG,
    GZIP,
    MANIFEST,
    Layer,
    as_json,
    layer,
)
from tests.corpus.tarballs import (
    Entry,
    file,
    folder,
    hard_link,
    link,
    pax,
    pax_record,
    program,
)
from tests.runtime import programs

DOCKER_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
DOCKER_CONFIG = "application/vnd.docker.container.image.v1+json"
DOCKER_LAYER = "application/vnd.docker.image.rootfs.diff.tar.gzip"
SYSTEM_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
PATH = f"/opt/good/bin:/opt/evil/bin:{SYSTEM_PATH}"
APPLETS = ("sh", "cat", "env", "id", "ls", "mkdir", "readlink")
PASSWD = "root:x:0:0::/root:/bin/sh\nworker:x:1000:100::/:/bin/sh\nlonely:x:1001:1001::/:/bin/sh\n"
GROUP = "root:x:0:\nusers:x:100:\nstaff:x:50:worker\nlonely:x:1001:\n"

Layers = Layer | Sequence[Entry]


@dataclass(frozen=True)
class Image:
    """An image in memory.

    Attributes:
        layers: oldest first.
        config: the configuration's bytes.
        manifest: the manifest's bytes.
        media_type: what the manifest is pushed as.
        members: entries of the layers above the base, for messages.
    """

    layers: tuple[Layer, ...]
    config: bytes
    manifest: bytes
    media_type: str = MANIFEST
    members: tuple[tuple[Entry, ...], ...] = field(default=(), repr=False)

    @property
    def digest(self) -> str:
        """The manifest's."""
        return str(Digest.of(self.manifest))

    @property
    def blobs(self) -> dict[str, bytes]:
        """Configuration and layers by digest."""
        found = {str(Digest.of(self.config)): self.config}
        return found | {str(item.digest): item.blob for item in self.layers}

    def told(self) -> str:
        """What it is made of, for a message: the configuration and the members of each layer above the base."""
        lines = [f"config {self.config.decode(errors='replace')}"]
        for number, entries in enumerate(self.members):
            lines += [f"layer {number}: {_told(entry)}" for entry in entries]
        return "\n".join(lines)


def _told(entry: Entry) -> str:
    if entry.raw is not None:
        return f"{len(entry.raw)} raw bytes"
    said = [f"{entry.kind} {entry.mode:o} {entry.name!r}"]
    said += [f"-> {entry.link!r}"] if entry.link else []
    said += [f"owner {entry.change}"] if entry.change else []
    said += [repr(entry.body[:60] if entry.body[:4] != b"\x7fELF" else b"ELF")] if entry.body else []
    return " ".join(said)


@cache
def base() -> Layer:
    """Busybox under the names that a shell needs, an Ubuntu's os-release, and three users."""
    return layer(*_shell(), *_system())


@cache
def bare() -> Layer:
    """Busybox and nothing else: there is not even an /etc."""
    return layer(*_shell())


def _shell() -> list[Entry]:
    found = shutil.which("busybox")
    if found is None:
        raise FileNotFoundError("no busybox on PATH: needs the package busybox-static")
    names = [hard_link(f"bin/{name}", "bin/busybox").but(mode=0o755) for name in APPLETS]
    return [folder("bin"), program("bin/busybox", Path(found).read_bytes()), *names]


def _system() -> list[Entry]:
    return [
        folder("etc"),
        file("etc/passwd", PASSWD),
        file("etc/group", GROUP),
        link("etc/os-release", "../usr/lib/os-release"),
        folder("usr"),
        folder("usr/lib"),
        file("usr/lib/os-release", release()),
        folder("tmp").but(mode=0o1777),
    ]


def release(version: str = "16.04", name: str = "ubuntu") -> str:
    """An os-release."""
    return f'NAME="{name}"\nID={name}\nVERSION_ID="{version}"\n'


def record(package: str, version: str, prefix: str) -> Entry:
    """Conda's record of an installed package."""
    body = json.dumps({"name": package, "version": version, "build": "h0_0"})
    return file(f"{prefix}/conda-meta/{package}-{version}-h0_0.json", body)


def prefix(path: str, conda: str, python: str) -> list[Entry]:
    """A Conda prefix whose conda and Python say their versions."""
    series = ".".join(python.split(".")[:2])
    return [
        folder(path),
        folder(f"{path}/bin"),
        program(f"{path}/bin/conda", programs.conda(conda)),
        program(f"{path}/bin/python{series}", programs.python(python)),
        link(f"{path}/bin/python3", f"python{series}"),
        link(f"{path}/bin/python", f"python{series}"),
        folder(f"{path}/conda-meta"),
        file(f"{path}/conda-meta/history"),
        record("conda", conda, path),
        record("python", python, path),
    ]


def good(path: str = "opt/good") -> list[Entry]:
    """A prefix that the default policy clears."""
    return prefix(path, "4.5.12", "3.6.5")


def evil(path: str = "opt/evil") -> list[Entry]:
    """A prefix that it refuses."""
    return prefix(path, "4.3.0", "3.7.1")


def owned(entry: Entry, user: int, group: int | None = None) -> Entry:
    """The same member under another owner (and a group of the same number)."""
    owner = {108: b"%07o\0" % user, 116: b"%07o\0" % (user if group is None else group)}
    return entry.but(change={**entry.change, **owner})


def attributed(entry: Entry, **records: str | bytes) -> list[Entry]:
    """A member with records of an extended header in front; `__` stands for a dot, `SCHILY__xattr__user__x`."""
    made = [
        pax_record(name.replace("__", ".").encode(), value if isinstance(value, bytes) else value.encode())
        for name, value in records.items()
    ]
    return [pax(b"".join(made)), entry]


def image(
    *layers: Layers, path: str | None = PATH, below: Layer | None = None, whole: Any = None, **config: Any
) -> Image:
    """An image of layers above a base.

    Args:
        layers: entries, or finished layers.
        path: its PATH; `None` for a configuration without Env.
        below: the lowest layer; the base when `None`.
        whole: members of the whole configuration beside architecture, os and rootfs.
        config: members of the configuration's `config`: `User="worker"`.
    """
    env = {} if path is None or "Env" in config else {"Env": [f"PATH={path}"]}
    return configured(layers, {"config": {"Cmd": ["/bin/sh"], **env, **config}, **(whole or {})}, below)


def configured(layers: Sequence[Layers], members: Mapping[str, Any], below: Layer | None = None) -> Image:
    """An image whose configuration has these members, `config` among them."""
    made = stacked(layers, below)
    return manifested(made, as_json({**_platform(made), **members}), layers)


def written(layers: Sequence[Layers], change: tuple[str, str], **config: Any) -> Image:
    """An image in whose configuration some text is replaced."""
    made = stacked(layers)
    text = json.dumps({**_platform(made), "config": {"Env": [f"PATH={PATH}"], "Cmd": ["/bin/sh"], **config}})
    return manifested(made, text.replace(*change).encode(), layers)


def stacked(layers: Sequence[Layers], below: Layer | None = None) -> tuple[Layer, ...]:
    """Finished layers, the base below them."""
    return (below or base(), *(item if isinstance(item, Layer) else layer(*item) for item in layers))


def _platform(layers: Sequence[Layer]) -> dict[str, Any]:
    rootfs = {"type": "layers", "diff_ids": [item.diff_id for item in layers]}
    return {"architecture": programs.ARCHITECTURE, "os": "linux", "rootfs": rootfs}


def manifested(layers: Sequence[Layer], config: bytes, members: Sequence[Layers] = ()) -> Image:
    """An image with a plain OCI manifest."""
    told = tuple(tuple(item) for item in members if not isinstance(item, Layer))
    document = manifest_of(layers, config)
    return Image(tuple(layers), config, as_json(document), MANIFEST, told)


def manifest_of(layers: Sequence[Layer], config: bytes) -> dict[str, Any]:
    """The members of an OCI manifest."""
    return {
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "config": {"mediaType": CONFIG, "digest": str(Digest.of(config)), "size": len(config)},
        "layers": [
            {"mediaType": item.media_type, "digest": str(item.digest), "size": len(item.blob)} for item in layers
        ],
    }


def docker_form(made: Image) -> Image:
    """The same image with Docker's media types."""
    document = json.loads(made.manifest)
    document["mediaType"] = DOCKER_MANIFEST
    document["config"]["mediaType"] = DOCKER_CONFIG
    for item in document["layers"]:
        item["mediaType"] = DOCKER_LAYER if item["mediaType"] == GZIP else item["mediaType"]
    return Image(made.layers, made.config, as_json(document), DOCKER_MANIFEST, made.members)


def remanifested(made: Image, document: Mapping[str, Any] | str, media_type: str = "") -> Image:
    """The same image under a manifest of another wording."""
    raw = document.encode() if isinstance(document, str) else as_json(document)
    return Image(made.layers, made.config, raw, media_type or made.media_type, made.members)

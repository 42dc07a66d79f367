"""Images that call themselves something else (G1, G3), and layers with tables of contents of their own (G8).

Each image has a member of its own in every layer above the base and in its configuration, so that nothing that is
remembered of one answers for another.
"""

import bz2
import gzip
import itertools
import json
import lzma
from collections.abc import Callable
from typing import Any

from policy.inspection.archive.zstandard import zstd
from tests.corpus.builders import (
    GZIP,
    TAR,
    ZSTD,
    Layer,
    as_json,
    blob_layer,
)
from tests.corpus.lazy_layers import (
    CHECKSUM,
    POSITION,
    TOC_DIGEST,
    Lie,
    Table,
    as_table,
    estargz,
    skippable,
    zstd_chunked,
)
from tests.corpus.tarballs import Entry, file, tar
from tests.runtime.images import (
    DOCKER_LAYER,
    Image,
    docker_form,
    evil,
    good,
    image,
    remanifested,
)
from tests.runtime.kinds.case import (
    Case,
    cleared,
    judged,
    not_cleared,
    unclear,
    withheld,
)

CONFIGS = (
    *("application/octet-stream", "application/json", "text/html", "", "APPLICATION/VND.OCI.IMAGE.CONFIG.V1+JSON"),
    *("application/vnd.oci.image.config.v1+json; charset=utf-8", "application/vnd.oci.empty.v1+json"),
    *("application/vnd.cncf.helm.config.v1+json", "text/plain", "application/vnd.docker.plugin.v1+json"),
    *("application/vnd.docker.container.image.v1+json", "application/vnd.wasm.config.v0+json", " application/json"),
)
LAYERS = (
    *(
        "application/octet-stream",
        "application/x-tar",
        "",
        "application/vnd.oci.image.layer.v1.tar",
        DOCKER_LAYER.upper(),
    ),
    *(
        "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip",
        "application/vnd.docker.container.image.rootfs.diff",
    ),
    *("application/vnd.oci.image.layer.nondistributable.v1.tar+gzip", "application/vnd.oci.image.layer.v1.tar+zip"),
    *("application/vnd.oci.image.layer.v1.tar+gzip; a=b", "application/vnd.oci.image.layer.v2.tar+gzip"),
)
_numbers = itertools.count()


def own(entries: list[Entry]) -> Image:
    """An image of these entries whose bytes no other image has."""
    number = next(_numbers)
    return image([*entries, file(f"srv/own-{number}", str(number))], Labels={"number": str(number)})


def typed(made: Image, config: str | None, **members: Any) -> Image:
    """The same image under a manifest with another type of configuration (`None`: without one)."""
    document = json.loads(made.manifest)
    document["config"].pop("mediaType")
    document["config"] |= {} if config is None else {"mediaType": config}
    return remanifested(made, document | members)


def layered(made: Image, kind: str | None, *, all_of_them: bool = False, **members: Any) -> Image:
    """The same image whose last layer has another type; or all its layers."""
    document = json.loads(made.manifest)
    for item in document["layers"] if all_of_them else document["layers"][-1:]:
        item.pop("mediaType")
        item.update(({} if kind is None else {"mediaType": kind}) | members)
    return remanifested(made, document)


def packed_otherwise(packer: Callable[[bytes], bytes], media_type: str, *entries: Entry) -> Image:
    """A last layer in a packing that few unpackers take, under some type."""
    number = next(_numbers)
    raw = tar(*entries, file(f"srv/own-{number}", str(number)))
    return image(blob_layer(packer(raw), raw, media_type), Labels={"number": str(number)})


def reconfigured(change: Callable[[bytes], bytes], config: str = "application/octet-stream") -> Image:
    """A refused image in disguise whose configuration is worded otherwise."""
    made = own(evil())
    changed = change(made.config)
    document = json.loads(made.manifest)
    found = Image(made.layers, changed, b"", made.media_type, made.members)
    digest = next(iter(found.blobs))
    document["config"] = {"mediaType": config, "digest": digest, "size": len(changed)}
    return remanifested(found, document)


def encrypted(made: Image, *, first: bool = False, ending: str = "+encrypted", **members: Any) -> Image:
    """The same image whose last layer says that it is encrypted, or its first one."""
    document = json.loads(made.manifest)
    document["layers"][0 if first else -1]["mediaType"] += ending
    return remanifested(made, document | members)


def keyed(made: Image) -> Image:
    """The same image whose last layer has the annotations of an encrypted one and not its type."""
    keys = {"org.opencontainers.image.enc.keys.jwe": "e30=", "org.opencontainers.image.enc.pubopts": "e30="}
    return layered(made, GZIP, annotations=keys)


def chunked(entries: list[Entry], lie: Lie | None = None, **how: Any) -> Image:
    """A last layer of zstd:chunked with its table, which may lie."""
    return annotated(zstd_chunked(_owned(entries), lie or (lambda _table: None), **how))


def starred(entries: list[Entry], lie: Lie | None = None, **how: Any) -> Image:
    """A last layer of eStargz with its table, which may lie."""
    return annotated(estargz(_owned(entries), lie or (lambda _table: None), **how))


def _owned(entries: list[Entry]) -> list[Entry]:
    number = next(_numbers)
    return [*entries, file(f"srv/own-{number}", str(number))]


def lying(entries: list[Entry], others: list[Entry]) -> Image:
    """The same with the table of another layer, whose files podman would fetch."""
    return annotated(zstd_chunked(_owned(entries), text=as_table(table_of(others))))


def table_of(entries: list[Entry]) -> Table:
    """The table of contents that entries would have."""
    found: Table = []
    zstd_chunked(entries, found.extend)
    return found


def annotated(layer: Layer, **changes: str) -> Image:
    """An image of a layer, its manifest naming the layer's table, or saying something else of it."""
    made = image(layer)
    document = json.loads(made.manifest)
    document["layers"][-1]["annotations"] = {**layer.annotations, **changes}
    return remanifested(made, document)


def unannotated(layer: Layer) -> Image:
    """An image of a layer with a table that its manifest does not name."""
    return image(layer)


def renamed(table: Table) -> None:
    """A lie: conda lies elsewhere."""
    next(item for item in table if item["name"].endswith("/bin/conda"))["name"] = "opt/good/bin/other"


def linked(table: Table) -> None:
    """A lie: python leads elsewhere."""
    next(item for item in table if item["name"].endswith("/bin/python"))["linkName"] = "/opt/evil/bin/python3.7"


def without_x(table: Table) -> None:
    """A lie: conda has no x."""
    next(item for item in table if item["name"].endswith("/bin/conda"))["mode"] = 0o644


def shorter(table: Table) -> None:
    """A lie: the last member is not there."""
    table.pop()


def swapped(table: Table) -> None:
    """A lie: conda has the bytes of the Python."""
    conda, python = (next(e for e in table if e["name"].endswith(end)) for end in ("/bin/conda", "/bin/python3.6"))
    for key in ("offset", "endOffset", "digest", "chunkDigest", "chunkSize", "size"):
        if key in python:
            conda[key] = python[key]


def attributed(table: Table) -> None:
    """A lie: a directory has an attribute that hides what is below."""
    next(item for item in table if item["type"] == "dir")["xattrs"] = {"trusted.overlay.opaque": "eQ=="}


LIES: dict[str, Lie] = {
    "of another name": renamed,
    "of another link": linked,
    "of another mode": without_x,
    "without the last member": shorter,
    "of another program's bytes": swapped,
    "of another attribute": attributed,
}


def members(raw: bytes) -> bytes:
    """Gzip in two members, as `cat` of two files makes it."""
    return gzip.compress(raw[:1024], mtime=0) + gzip.compress(raw[1024:], mtime=0)


def frames(raw: bytes) -> bytes:
    """Zstd in two frames, one to pass over in front."""
    return skippable(b"x" * 100) + zstd.compress(raw[:1024]) + zstd.compress(raw[1024:])


PACKINGS: tuple[Case, ...] = tuple(
    not_cleared(f"a layer in {name}, {kind or 'no type'}", lambda p=packer, k=kind: packed_otherwise(p, k, *evil()))  # type: ignore[misc]
    for name, packer in {
        "bzip2": bz2.compress,
        "xz": lzma.compress,
        "lzma": lambda raw: lzma.compress(raw, lzma.FORMAT_ALONE),
        "gzip of two members": members,
        "zstd of two frames": frames,
        "gzip with something behind": lambda raw: gzip.compress(raw, mtime=0) + b"behind",
        "gzip in gzip": lambda raw: gzip.compress(gzip.compress(raw, mtime=0), mtime=0),
    }.items()
    for kind in (GZIP, ZSTD, "application/octet-stream")
)
DISGUISES: tuple[Case, ...] = (
    *(not_cleared(f"a refused image of type {kind!r}", lambda k=kind: typed(own(evil()), k)) for kind in CONFIGS),  # type: ignore[misc]
    *(
        not_cleared(f"the same in a Docker manifest, {kind!r}", lambda k=kind: typed(docker_form(own(evil())), k))  # type: ignore[misc]
        for kind in CONFIGS
    ),
    *(
        not_cleared(f"a layer of type {kind!r}", lambda k=kind, a=whole: layered(own(evil()), k, all_of_them=a))  # type: ignore[misc]
        for kind in LAYERS
        for whole in (False, True)
    ),
    *(
        not_cleared(
            f"both of types that say nothing, {kind!r}",
            lambda k=kind: layered(typed(own(evil()), "application/octet-stream"), k, all_of_them=True),  # type: ignore[misc]
        )
        for kind in LAYERS
    ),
    not_cleared("a refused image without a type", lambda: typed(own(evil()), None)),
    not_cleared("a refused image whose layers have no type", lambda: layered(own(evil()), None, all_of_them=True)),
    not_cleared(
        "a refused image with a type for artifacts",
        lambda: typed(own(evil()), CONFIGS[0], artifactType="application/x"),
    ),
    not_cleared("a refused image that refers to nothing", lambda: typed(own(evil()), CONFIGS[0], subject=_nobody())),
    not_cleared("capitals in mediaType", lambda: _worded('"mediaType"', '"MediaType"')),
    not_cleared("capitals in layers", lambda: _worded('"layers"', '"Layers"')),
    not_cleared("an escape in mediaType", lambda: _worded('"mediaType"', '"\\u006dediaType"')),
    not_cleared(
        "no mediaType of its own", lambda: _worded('"mediaType":"application/vnd.oci.image.manifest.v1+json",', "")
    ),
    not_cleared(
        "a configuration with an escape", lambda: reconfigured(lambda raw: raw.replace(b"rootfs", b"\\u0072ootfs"))
    ),
    not_cleared("a configuration with rootfs twice", lambda: reconfigured(lambda raw: raw[:-1] + b',"rootfs":{}}')),
    not_cleared("a configuration with blanks", lambda: reconfigured(lambda raw: b"\n\t " + raw + b"\n")),
    not_cleared("a configuration in capitals", lambda: reconfigured(lambda raw: raw.replace(b"rootfs", b"ROOTFS"))),
    not_cleared(
        "a configuration with a long s",
        lambda: reconfigured(lambda raw: raw.replace(b"rootfs", "rootf\u017f".encode())),
    ),
    not_cleared(
        "a configuration of 5 MB", lambda: reconfigured(lambda raw: raw[:-1] + b',"x":"' + b"x" * 5_000_000 + b'"}')
    ),
    cleared("a good image of 2016", lambda: typed(docker_form(own(good())), "application/octet-stream")),
    cleared("a good image of 2015", lambda: typed(docker_form(own(good())), "text/html")),
    *PACKINGS,
    not_cleared("a layer of v7", lambda: packed_otherwise(bytes, GZIP, *(entry.but(form="v7") for entry in evil()))),
    not_cleared(
        "a layer of v7, plain", lambda: packed_otherwise(bytes, TAR, *(entry.but(form="v7") for entry in evil()))
    ),
    not_cleared(
        "a layer of GNU's form, plain", lambda: packed_otherwise(bytes, "", *(e.but(form="gnu") for e in evil()))
    ),
)
ENCRYPTED: tuple[Case, ...] = (
    unclear("a layer that says it is encrypted", lambda: encrypted(own(evil()))),
    unclear("the lowest layer says so", lambda: encrypted(own(evil()), first=True)),
    unclear("a good image whose layer says so", lambda: encrypted(own(good()))),
    unclear("a layer in Docker's manifest that says so", lambda: encrypted(docker_form(own(evil())))),
    unclear("a layer that says so in capitals", lambda: encrypted(own(evil()), ending="+ENCRYPTED")),
    unclear("a layer that says so with a parameter", lambda: encrypted(own(evil()), ending="+encrypted; a=b")),
    unclear("an encrypted layer, the configuration of no type", lambda: typed(encrypted(own(evil())), CONFIGS[0])),
    withheld("a layer with an encrypted one's annotations", lambda: keyed(own(evil()))),
    judged("a good layer with an encrypted one's annotations", lambda: keyed(own(good()))),
)
TABLES: tuple[Case, ...] = (
    cleared("a table of contents that is true", lambda: chunked(good())),
    cleared("the same in chunks", lambda: chunked(good(), chunk=64)),
    cleared("the same in the older form", lambda: chunked(good(), form=40)),
    cleared("a table of eStargz that is true", lambda: starred(good())),
    cleared("a true table that the manifest does not name", lambda: unannotated(zstd_chunked(_owned(good())))),
    unclear("a table of contents of another prefix", lambda: lying(good(), evil("opt/good"))),
    unclear("a table of contents of nothing", lambda: chunked(good(), text=as_table([]))),
    unclear("a table of contents that is no table", lambda: chunked(good(), text=b"[]")),
    *(unclear(f"a table of contents {name}", lambda lie=lie: chunked(good(), lie)) for name, lie in LIES.items()),  # type: ignore[misc]
    *(unclear(f"a table of eStargz {name}", lambda lie=lie: starred(good(), lie)) for name, lie in LIES.items()),  # type: ignore[misc]
    *(
        unclear(
            f"a lie {name} that the manifest does not name",
            lambda lie=lie: unannotated(zstd_chunked(_owned(good()), lie)),  # type: ignore[misc]
        )
        for name, lie in LIES.items()
    ),
    unclear(
        "a manifest that names another table",
        lambda: annotated(zstd_chunked(_owned(good())), **{CHECKSUM: "sha256:" + "0" * 64}),
    ),
    unclear(
        "a manifest that names another place", lambda: annotated(zstd_chunked(_owned(good())), **{POSITION: "8:8:8:1"})
    ),
    unclear(
        "a manifest that names another eStargz table",
        lambda: annotated(estargz(_owned(good())), **{TOC_DIGEST: "sha256:" + "0" * 64}),
    ),
)


def _nobody() -> dict[str, Any]:
    return {"mediaType": "application/vnd.oci.image.manifest.v1+json", "digest": "sha256:" + "0" * 64, "size": 2}


def _worded(old: str, new: str) -> Image:
    made = typed(own(evil()), CONFIGS[0])
    text = as_json(json.loads(made.manifest)).decode()
    return remanifested(made, text.replace(old, new))


CASES: tuple[Case, ...] = (*DISGUISES, *ENCRYPTED, *TABLES)

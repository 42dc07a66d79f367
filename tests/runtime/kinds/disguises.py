"""Images that call themselves something else (G1, G3), and layers with tables of contents of their own (G8)."""

import bz2
import json
import lzma
from typing import Any

from tests.corpus.builders import GZIP, blob_layer
from tests.corpus.lazy_layers import Table, as_table, zstd_chunked
from tests.corpus.tarballs import Entry, tar
from tests.runtime.images import Image, docker_form, evil, good, image, remanifested
from tests.runtime.kinds.case import Case, cleared, judged

CONFIGS = (
    *("application/octet-stream", "application/json", "text/html", "", "APPLICATION/VND.OCI.IMAGE.CONFIG.V1+JSON"),
    *("application/vnd.oci.image.config.v1+json; charset=utf-8", "application/vnd.oci.empty.v1+json"),
    "application/vnd.cncf.helm.config.v1+json",
)


def typed(made: Image, config: str | None, **members: Any) -> Image:
    """The same image under a manifest with another type of configuration (`None`: without one)."""
    document = json.loads(made.manifest)
    document["config"].pop("mediaType")
    document["config"] |= {} if config is None else {"mediaType": config}
    return remanifested(made, document | members)


def packed_otherwise(packer: Any, media_type: str, *entries: Entry) -> Image:
    """A last layer in a packing that few unpackers take, under the type of an image's layer."""
    raw = tar(*entries)
    return image(blob_layer(packer(raw), raw, media_type))


def encrypted(made: Image) -> Image:
    """The same image whose last layer says that it is encrypted."""
    document = json.loads(made.manifest)
    document["layers"][-1]["mediaType"] += "+encrypted"
    return remanifested(made, document)


def chunked(entries: list[Entry]) -> Image:
    """A last layer of zstd:chunked with a true table."""
    return annotated(image(zstd_chunked(entries)))


def lying(entries: list[Entry], others: list[Entry]) -> Image:
    """The same with the table of another layer, whose files podman would fetch."""
    return annotated(image(zstd_chunked(entries, text=as_table(table_of(others)))))


def table_of(entries: list[Entry]) -> Table:
    """The table of contents that entries would have."""
    found: Table = []
    zstd_chunked(entries, found.extend)
    return found


def annotated(made: Image) -> Image:
    """The image, its manifest naming the table of its last layer."""
    document = json.loads(made.manifest)
    document["layers"][-1]["annotations"] = dict(made.layers[-1].annotations)
    return remanifested(made, document)


CASES: tuple[Case, ...] = (
    *(judged(f"a refused image of type {kind!r}", lambda k=kind: typed(image(evil()), k)) for kind in CONFIGS),  # type: ignore[misc]
    *(
        judged(f"the same in a Docker manifest, {kind!r}", lambda k=kind: typed(docker_form(image(evil())), k))  # type: ignore[misc]
        for kind in CONFIGS
    ),
    judged("a refused image without a type", lambda: typed(image(evil()), None)),
    judged(
        "a refused image with a type for artifacts",
        lambda: typed(image(evil()), CONFIGS[0], artifactType="application/x"),
    ),
    cleared("a good image of 2016", lambda: typed(docker_form(image(good())), "application/octet-stream")),
    judged("a layer in bzip2", lambda: packed_otherwise(bz2.compress, GZIP, *evil())),
    judged("a layer in xz", lambda: packed_otherwise(lzma.compress, GZIP, *evil())),
    judged("a layer of v7", lambda: packed_otherwise(bytes, GZIP, *(entry.but(form="v7") for entry in evil()))),
    judged("a layer that says it is encrypted", lambda: encrypted(image(evil()))),
    judged("a table of contents that is true", lambda: chunked(good())),
    judged("a table of contents of another prefix", lambda: lying(good(), evil("opt/good"))),
)

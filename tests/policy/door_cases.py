"""The rows of the door matrix: one manifest in each state, with something that refers to it."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum

from policy.state import State
from registry.oci import media_types
from registry.oci.digest import Digest
from registry.oci.names import Tag
from tests.policy.images_made import (
    LAYER,
    MadeImage,
    artifact,
    bad,
    base,
    damaged,
    descriptor,
    good,
    image,
    index,
    layer,
    miniconda,
    noise,
)
from tests.policy.lab import Lab

YOUNG = "azureml-2020-09"
"""A policy that clears what the default refuses for its Python 3.7."""
SUBJECT = Digest.of(b"what all of them refer to")


class Special(StrEnum):
    """States that no verdict has a name for."""

    MISSING = "missing"  # cleared, and then the file of a layer went
    DISGUISED = "disguised"  # a refused image whose configuration is typed as something else
    ENCRYPTED = "encrypted"  # nobody but who has the key can look into its layers
    MIXED = "mixed"  # an index with an image, and with something else for a platform that runtimes pick
    SWITCHING = "switching"  # refused, and cleared by a policy that has been evaluated but is not in force yet


@dataclass(frozen=True, slots=True)
class Case:
    """One manifest of the matrix.

    Attributes:
        name: its state, which is its tag as well.
        raw: the manifest's bytes.
        before: what has to be pushed before it.
        blobs: its own.
        blob: content that only it, or one of its children, names.
        stands: the state that counts at the doors, for the manifest.
        blob_stands: the same for the blob.
        there: whether the blob's file is there.
    """

    name: str
    raw: bytes
    before: tuple[MadeImage, ...]
    blobs: tuple[bytes, ...]
    blob: bytes
    stands: State
    blob_stands: State
    there: bool = True

    @property
    def digest(self) -> Digest:
        """The manifest's."""
        return Digest.of(self.raw)

    @property
    def signature(self) -> MadeImage:
        """An artifact that refers to it, with content of its own."""
        content, config = f"signature of {self.name}".encode(), b"{}"
        document = {
            "schemaVersion": 2,
            "mediaType": media_types.OCI_MANIFEST,
            "config": descriptor(config, "application/vnd.example.signature.v1+json"),
            "layers": [descriptor(content, "application/vnd.example.signature")],
            "subject": descriptor(self.raw, media_types.OCI_MANIFEST),
        }
        return MadeImage(json.dumps(document).encode(), config, (content,))

    async def push(self, lab: Lab) -> None:
        """Push it with everything it needs, and its signature."""
        for made in self.before:
            await lab.push(made, None)
        for content in self.blobs:
            await lab.push_blob(content)
        await lab.push_manifest(self.raw, Tag(self.name))
        await lab.push(self.signature, Tag(f"signature-{self.name}"))


def referring(raw: bytes) -> bytes:
    """The same manifest with a subject, so that it is listed among its referrers."""
    subject = {"mediaType": media_types.OCI_MANIFEST, "digest": SUBJECT, "size": 1}
    return json.dumps(json.loads(raw) | {"subject": subject}).encode()


def of_image(name: str, made: MadeImage, stands: State, *, there: bool = True) -> Case:
    """The case of an image; its last layer is its own."""
    raw = referring(made.manifest)
    return Case(name, raw, (), made.blobs, made.layers[-1], stands, stands, there)


def disguised() -> MadeImage:
    """A refused image that says it were a chart; the bytes are all that runtimes go by."""
    made = good(python="3.7.1")
    document = json.loads(made.manifest)
    document["config"]["mediaType"] = "application/octet-stream"
    return replace(made, manifest=json.dumps(document).encode())


def encrypted() -> MadeImage:
    """An image whose layers are typed as encrypted."""
    made = image(layer(base()), layer(miniconda(conda="4.5.9")))
    layers = (noise(3000, 1), noise(4000, 2))
    document = json.loads(made.manifest)
    document["layers"] = [descriptor(content, f"{LAYER}+encrypted") for content in layers]
    return MadeImage(json.dumps(document).encode(), made.config, layers)


def mixed() -> Case:
    """An index whose second child is no image, though a runtime on its platform would pick it."""
    child = good(conda="4.5.11")
    raw = referring(index((child.manifest, "linux/amd64"), (artifact().manifest, "linux/arm64")))
    before = (child, artifact())
    return Case(Special.MIXED, raw, before, (), child.layers[-1], State.INCONCLUSIVE, State.CLEARED)


PENDING = image(layer(base("18.04")), layer(miniconda("4.6.0", "3.6.7")))
_CASES = (
    of_image(State.CLEARED, good(), State.CLEARED),
    of_image(State.REFUSED, bad(), State.REFUSED),
    of_image(State.INCONCLUSIVE, damaged(), State.INCONCLUSIVE),
    of_image(State.NOT_APPLICABLE, artifact(), State.NOT_APPLICABLE),
    of_image(State.PENDING, PENDING, State.PENDING),
    of_image(Special.MISSING, good(conda="4.5.10"), State.CLEARED, there=False),
    of_image(Special.DISGUISED, disguised(), State.REFUSED),
    of_image(Special.ENCRYPTED, encrypted(), State.INCONCLUSIVE),
    mixed(),
    of_image(Special.SWITCHING, good(python="3.7.2"), State.REFUSED),
)
CASES: Mapping[str, Case] = {case.name: case for case in _CASES}

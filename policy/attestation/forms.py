"""How a signed verdict is published: as a sigstore bundle that refers to its image, and in a manifest under a tag.

A manifest and its blobs are made anew of statement and signature whenever somebody asks: the same bytes each time.
"""

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from typing import Any

from policy.attestation.types import BUNDLE_TYPE, PAYLOAD_TYPE, PREDICATE_TYPE
from policy.signing.dsse import Envelope
from registry.metadata.attestations import AttestationRow
from registry.metadata.referrers import ReferrerRow
from registry.oci import media_types
from registry.oci.canonical_json import canonical_json
from registry.oci.digest import Digest
from registry.oci.names import Tag

ENVELOPE_TYPE = "application/vnd.dsse.envelope.v1+json"
SUFFIX = ".att"
EMPTY = b"{}"
EMPTY_DIGEST = Digest.of(EMPTY)


@dataclass(frozen=True)
class Forms:
    """The published forms of one attestation.

    Attributes:
        row: the attestation; it must be signed.
    """

    row: AttestationRow

    @cached_property
    def envelope(self) -> bytes:
        """The DSSE envelope: the blob of the tag's manifest."""
        return self._envelope.to_bytes()

    @cached_property
    def bundle(self) -> bytes:
        """The sigstore bundle, version 0.3: the blob of the referrer."""
        return canonical_json(
            {
                "mediaType": BUNDLE_TYPE,
                "verificationMaterial": {"publicKey": {"hint": self.row.key}},
                "dsseEnvelope": self._envelope.document(),
            }
        )

    @cached_property
    def referrer(self) -> bytes:
        """The manifest that refers to the image, with the bundle as its only layer."""
        subject = self.row.subject
        return canonical_json(
            {
                "schemaVersion": 2,
                "mediaType": media_types.OCI_MANIFEST,
                "artifactType": BUNDLE_TYPE,
                "config": descriptor(EMPTY, media_types.OCI_EMPTY),
                "layers": [descriptor(self.bundle, BUNDLE_TYPE)],
                "subject": {"mediaType": subject.media_type, "digest": subject.digest, "size": subject.size},
                "annotations": self.annotations,
            }
        )

    @property
    def annotations(self) -> dict[str, str]:
        """Of the referrer."""
        return {
            "dev.sigstore.bundle.content": "dsse-envelope",
            "dev.sigstore.bundle.predicateType": PREDICATE_TYPE,
            "org.opencontainers.image.created": datetime.fromtimestamp(int(self.row.made), UTC).isoformat(),
        }

    @cached_property
    def config(self) -> bytes:
        """The configuration that the manifest under the tag names, as an image has one."""
        layers = {"type": "layers", "diff_ids": [Digest.of(self.envelope)]}
        return canonical_json({"architecture": "", "os": "", "config": {}, "rootfs": layers})

    @cached_property
    def tagged(self) -> bytes:
        """The manifest under the tag, when nobody else has attested anything."""
        return canonical_json(
            {
                "schemaVersion": 2,
                "mediaType": media_types.OCI_MANIFEST,
                "config": descriptor(self.config, media_types.OCI_CONFIG),
                "layers": [self.tagged_layer],
            }
        )

    @cached_property
    def tagged_in_store(self) -> bytes:
        """The same for a registry that stores it: it refers to its image, with which it is withheld and removed."""
        subject = self.row.subject
        named = {"mediaType": subject.media_type, "digest": subject.digest, "size": subject.size}
        return canonical_json({**json.loads(self.tagged), "subject": named})

    @property
    def tag(self) -> Tag:
        """`sha256-HEX.att`, of the image."""
        return Tag(f"{self.row.subject.digest.replace(':', '-')}{SUFFIX}")

    @property
    def tagged_layer(self) -> dict[str, Any]:
        """The envelope as a layer of the manifest under the tag."""
        notes = {"dev.cosignproject.cosign/signature": "", "predicateType": PREDICATE_TYPE}
        return {**descriptor(self.envelope, ENVELOPE_TYPE), "annotations": notes}

    @property
    def manifests(self) -> tuple[bytes, ...]:
        """All manifests that publish it."""
        return self.referrer, self.tagged

    @property
    def blobs(self) -> tuple[bytes, ...]:
        """All blobs that these name, without the empty one."""
        return self.bundle, self.envelope, self.config

    @property
    def digests(self) -> tuple[Digest, ...]:
        """Of all manifests and blobs that publish it."""
        return tuple(Digest.of(each) for each in (*self.manifests, *self.blobs))

    def manifest(self, digest: Digest) -> bytes | None:
        """The manifest with this digest."""
        return next((each for each in self.manifests if Digest.of(each) == digest), None)

    def blob(self, digest: Digest) -> bytes | None:
        """The blob with this digest."""
        return next((each for each in self.blobs if Digest.of(each) == digest), None)

    @property
    def entry(self) -> ReferrerRow:
        """The referrer in the list of referrers."""
        digest = Digest.of(self.referrer)
        entry = {
            "mediaType": media_types.OCI_MANIFEST,
            "size": len(self.referrer),
            "digest": digest,
            "artifactType": BUNDLE_TYPE,
            "annotations": self.annotations,
        }
        return ReferrerRow(digest, json.dumps(entry))

    @property
    def _envelope(self) -> Envelope:
        # Without an id of the key: verifiers that make ids of keys in another way would not try theirs.
        return Envelope(PAYLOAD_TYPE, self.row.statement, [("", self.row.signature)])


def descriptor(content: bytes, media_type: str) -> dict[str, Any]:
    """The descriptor of a blob."""
    return {"mediaType": media_type, "digest": Digest.of(content), "size": len(content)}

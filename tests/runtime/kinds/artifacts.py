"""What is pushed beside images in the forms of the tools that push it: nothing that a runtime starts (G1)."""

import gzip
import io
import json
import tarfile

from registry.oci.digest import Digest
from tests.corpus.builders import (
    CONFIG,
    GZIP,
    MANIFEST,
    TAR,
    Layer,
    as_json,
)
from tests.runtime.images import DOCKER_CONFIG, DOCKER_MANIFEST, Image
from tests.runtime.kinds.case import Case, artifact

EMPTY = "application/vnd.oci.empty.v1+json"
BUNDLE = "application/vnd.dev.sigstore.bundle.v0.3+json"
ENVELOPE = as_json({"payloadType": "application/vnd.in-toto+json", "payload": "e30=", "signatures": []})
SIGNED = as_json({"critical": {"identity": {"docker-reference": ""}, "type": "cosign container image signature"}})
WASM = b"\0asm\1\0\0\0"

Part = tuple[str, bytes]


def pushed(config: Part, *parts: Part, kind: str = MANIFEST, **members: object) -> Image:
    """A manifest over a configuration and parts, each with its type."""
    layers = tuple(Layer(content, media_type, "") for media_type, content in parts)
    document = {
        "schemaVersion": 2,
        "mediaType": kind,
        "config": _descriptor(*config),
        "layers": [_descriptor(*part) for part in parts],
    }
    return Image(layers, config[1], as_json(document | members), kind)


def _descriptor(media_type: str, content: bytes) -> dict[str, object]:
    return {"mediaType": media_type, "digest": str(Digest.of(content)), "size": len(content)}


def packed(name: str) -> bytes:
    """A tar.gz archive of one text."""
    held = io.BytesIO()
    with tarfile.open(fileobj=held, mode="w") as archive:
        member = tarfile.TarInfo(name)
        member.size = len(name)
        archive.addfile(member, io.BytesIO(name.encode()))
    return gzip.compress(held.getvalue(), mtime=0)


def _layerless(content: bytes) -> bytes:
    """The configuration that Go's library for containers writes beside whatever it is given."""
    rootfs = {"type": "layers", "diff_ids": [str(Digest.of(content))]}
    document = {"architecture": "", "created": "0001-01-01T00:00:00Z", "os": "", "config": {}, "rootfs": rootfs}
    return json.dumps(document).encode()


def beside(media_type: str, content: bytes, config: str = CONFIG, kind: str = MANIFEST) -> Image:
    """One part under an image's configuration."""
    return pushed((config, _layerless(content)), (media_type, content), kind=kind)


def _empty(named: str, *parts: Part) -> Image:
    return pushed((EMPTY, b"{}"), *parts, artifactType=named)


PACKAGES: tuple[Case, ...] = (
    artifact(
        "a chart of helm",
        lambda: pushed(
            ("application/vnd.cncf.helm.config.v1+json", b'{"name":"app","version":"0.1.0","apiVersion":"v2"}'),
            ("application/vnd.cncf.helm.chart.content.v1.tar+gzip", packed("app/Chart.yaml")),
        ),
    ),
    artifact(
        "a chart of helm with its proof",
        lambda: pushed(
            ("application/vnd.cncf.helm.config.v1+json", b'{"name":"app","version":"0.2.0","apiVersion":"v2"}'),
            ("application/vnd.cncf.helm.chart.content.v1.tar+gzip", packed("app/values.yaml")),
            ("application/vnd.cncf.helm.chart.provenance.v1.prov", b"-----BEGIN PGP SIGNED MESSAGE-----\n"),
        ),
    ),
    artifact(
        "flux",
        lambda: pushed(
            ("application/vnd.cncf.flux.config.v1+json", _layerless(b"flux")),
            ("application/vnd.cncf.flux.content.v1.tar+gzip", packed("kustomization.yaml")),
        ),
    ),
    artifact(
        "rules of OPA",
        lambda: pushed(
            ("application/vnd.cncf.openpolicyagent.config.v1+json", b"{}"),
            ("application/vnd.cncf.openpolicyagent.policy.layer.v1+rego", b"package main\n"),
        ),
    ),
    artifact(
        "wasm",
        lambda: pushed(
            ("application/vnd.wasm.config.v0+json", b'{"os":"wasip1","architecture":"wasm"}'),
            ("application/wasm", WASM),
        ),
    ),
    artifact(
        "wasm of solo.io",
        lambda: pushed(
            ("application/vnd.module.wasm.config.v1+json", b"{}"),
            ("application/vnd.module.wasm.content.layer.v1+wasm", WASM + b"x"),
        ),
    ),
    artifact("wasm under an image's configuration", lambda: beside("application/vnd.wasm.content.layer.v1+wasm", WASM)),
    artifact(
        "cache of BuildKit",
        lambda: pushed(
            ("application/vnd.buildkit.cacheconfig.v0", b'{"layers":[{"blob":"x","parent":-1}],"records":[]}'),
            (GZIP, packed("usr/bin/x")),
        ),
    ),
    artifact("a file of ORAS", lambda: _empty("application/vnd.example", (TAR, b"hello"))),
    artifact("a folder of ORAS", lambda: _empty("application/vnd.example", (GZIP, packed("folder/a")))),
    artifact(
        "files of ORAS without a type", lambda: _empty("application/vnd.unknown.artifact.v1", (TAR, b"a"), (TAR, b"b"))
    ),
    artifact("nothing but an empty blob", lambda: _empty("application/vnd.example.empty", (EMPTY, b"{}"))),
    artifact(
        "an image of SIF",
        lambda: pushed(
            ("application/vnd.sylabs.sif.config.v1+json", b"{}"),
            ("application/vnd.sylabs.sif.layer.v1.sif", b"#!/usr/bin/env run-singularity\n\0SIF_MAGIC\0" + bytes(600)),
        ),
    ),
)
SIGNATURES: tuple[Case, ...] = (
    artifact("a signature of cosign", lambda: beside("application/vnd.dev.cosign.simplesigning.v1+json", SIGNED)),
    artifact("an attestation of cosign", lambda: beside("application/vnd.dsse.envelope.v1+json", ENVELOPE)),
    artifact(
        "the same in a Docker manifest",
        lambda: beside("application/vnd.dsse.envelope.v1+json", ENVELOPE + b" ", DOCKER_CONFIG, DOCKER_MANIFEST),
    ),
    artifact("a bundle of sigstore", lambda: _empty(BUNDLE, (BUNDLE, b'{"mediaType":"x","dsseEnvelope":{}}'))),
    artifact(
        "a signature of notation",
        lambda: pushed(
            ("application/vnd.cncf.notary.signature", b"{}"), ("application/jose+json", b'{"payload":"e30"}')
        ),
    ),
    artifact("an attestation of BuildKit", lambda: beside("application/vnd.in-toto+json", ENVELOPE + b"\n")),
    artifact("an SBOM of ko", lambda: beside("text/spdx+json", b'{"spdxVersion":"SPDX-2.3"}')),
    artifact(
        "an SBOM of ORAS",
        lambda: _empty(
            "application/vnd.cyclonedx+json", ("application/vnd.cyclonedx+json", b'{"bomFormat":"CycloneDX"}')
        ),
    ),
    artifact(
        "an SBOM under syft's type",
        lambda: pushed(
            (EMPTY, b"{}"),
            ("application/spdx+json", b'{"spdxVersion":"SPDX-2.2"}'),
            artifactType="application/spdx+json",
        ),
    ),
)
MODELS: tuple[Case, ...] = (
    artifact(
        "a model of ollama",
        lambda: beside(
            "application/vnd.ollama.image.model", b"GGUF\x03\0\0\0" + bytes(5000), DOCKER_CONFIG, DOCKER_MANIFEST
        ),
    ),
    artifact(
        "a model of docker",
        lambda: beside(
            "application/vnd.docker.ai.gguf.v3",
            b"GGUF\x03\0\0\1" + bytes(5000),
            "application/vnd.docker.ai.model.config.v0.1+json",
        ),
    ),
    artifact(
        "a model of KitOps",
        lambda: pushed(
            ("application/vnd.kitops.modelkit.config.v1+json", b'{"manifestVersion":"1.0.0"}'),
            ("application/vnd.kitops.modelkit.model.v1.tar+gzip", packed("model.bin")),
        ),
    ),
)
CASES: tuple[Case, ...] = (*PACKAGES, *SIGNATURES, *MODELS)

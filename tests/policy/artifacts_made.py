"""Artifacts in the exact form in which real tools push them, built in code; none of them starts anywhere."""

import gzip
import io
import json
import tarfile
from collections.abc import Mapping

from registry.oci import media_types
from registry.oci.digest import Digest
from tests.policy.images_made import MadeImage, descriptor

IMAGE_CONFIG = media_types.OCI_CONFIG
DIGEST = Digest.of(b"x")
SIGNED = json.dumps({"critical": {"identity": {"docker-reference": ""}, "type": "cosign container image signature"}})
ENVELOPE = json.dumps({"payloadType": "application/vnd.in-toto+json", "payload": "e30=", "signatures": []})
GGUF = b"GGUF\x03\0\0\0" + bytes(5000)


def tarred(name: str = "artifact.yaml") -> bytes:
    """A tar.gz archive, as tools for configuration and charts push it."""
    held = io.BytesIO()
    with tarfile.open(fileobj=held, mode="w") as archive:
        member = tarfile.TarInfo(name)
        member.size = 3
        archive.addfile(member, io.BytesIO(b"a: "))
    return gzip.compress(held.getvalue(), mtime=0)


def empty_image(*diff_ids: str) -> bytes:
    """The configuration that Go's library for containers writes beside whatever layers it is given."""
    document = {"architecture": "", "created": "0001-01-01T00:00:00Z", "history": [{}], "os": "", "config": {}}
    return json.dumps(document | {"rootfs": {"type": "layers", "diff_ids": list(diff_ids)}}).encode()


def made(
    config: tuple[str, bytes], *layers: tuple[str, bytes], kind: str = media_types.OCI_MANIFEST, artifact: str = ""
) -> MadeImage:
    """A manifest over a configuration and layers, each with its type."""
    document = {
        "schemaVersion": 2,
        "mediaType": kind,
        "config": descriptor(config[1], config[0]),
        "layers": [descriptor(content, media_type) for media_type, content in layers],
    }
    named = {"artifactType": artifact} if artifact else {}
    blobs = tuple(content for _, content in layers)
    return MadeImage(json.dumps(document | named).encode(), config[1], blobs)


def _typed(what: str, config: bytes, *layers: tuple[str, bytes]) -> MadeImage:
    return made((f"application/vnd.{what}", config), *((f"application/{name}", content) for name, content in layers))


def _empty(artifact: str, *layers: tuple[str, bytes]) -> MadeImage:
    return made((media_types.OCI_EMPTY, b"{}"), *layers, artifact=artifact)


def _models() -> Mapping[str, MadeImage]:
    ollama = {"model_format": "gguf", "architecture": "amd64", "os": "linux"}
    ollama_layers = (
        ("application/vnd.ollama.image.model", GGUF),
        ("application/vnd.ollama.image.template", b"{{ .Prompt }}"),
        ("application/vnd.ollama.image.params", b'{"stop":["<|end|>"]}'),
    )
    rootfs = {"type": "layers", "diff_ids": [str(DIGEST)]}
    docker = json.dumps({"config": {"format": "gguf"}, "descriptor": {}, "rootfs": rootfs}).encode()
    return {
        "ollama": made(
            (media_types.DOCKER_CONFIG, json.dumps(ollama | {"rootfs": rootfs}).encode()),
            *ollama_layers,
            kind=media_types.DOCKER_MANIFEST,
        ),
        "docker model": _typed("docker.ai.model.config.v0.1+json", docker, ("vnd.docker.ai.gguf.v3", GGUF)),
        "docker model, more files": _typed(
            "docker.ai.model.config.v0.1+json",
            docker,
            ("vnd.docker.ai.vllm.config.tar", gzip.decompress(tarred())),
            ("vnd.docker.ai.safetensors", b"\x10" + bytes(4096)),
        ),
        "KitOps": _typed(
            "kitops.modelkit.config.v1+json",
            b'{"manifestVersion":"1.0.0","package":{"name":"m"}}',
            ("vnd.kitops.modelkit.model.v1.tar+gzip", tarred("model.bin")),
        ),
        "model specification, raw": _typed(
            "cncf.model.config.v1+json",
            json.dumps({"descriptor": {}, "config": {}, "modelfs": {"type": "layers", "diffIds": []}}).encode(),
            ("vnd.cncf.model.weight.v1.raw", bytes(8192)),
        ),
    }


def _signatures() -> Mapping[str, MadeImage]:
    image = (IMAGE_CONFIG, empty_image(str(DIGEST)))
    bundle = "application/vnd.dev.sigstore.bundle.v0.3+json"
    return {
        "cosign .sig": made(image, ("application/vnd.dev.cosign.simplesigning.v1+json", SIGNED.encode())),
        "cosign .att": made(image, ("application/vnd.dsse.envelope.v1+json", ENVELOPE.encode())),
        "cosign .att in a Docker manifest": made(
            (media_types.DOCKER_CONFIG, image[1]),
            ("application/vnd.dsse.envelope.v1+json", ENVELOPE.encode()),
            kind=media_types.DOCKER_MANIFEST,
        ),
        "cosign bundle": _empty(bundle, (bundle, b'{"mediaType":"x","dsseEnvelope":{}}')),
        "ko .sbom": made(image, ("text/spdx+json", b'{"spdxVersion":"SPDX-2.3"}')),
        "notation": _typed("cncf.notary.signature", b"{}", ("jose+json", b'{"payload":"e30"}')),
        "BuildKit attestation": made(image, ("application/vnd.in-toto+json", ENVELOPE.encode())),
    }


def _packages() -> Mapping[str, MadeImage]:
    flux = ("vnd.cncf.flux.content.v1.tar+gzip", tarred())
    sif = b"#!/usr/bin/env run-singularity\n\0SIF_MAGIC\0" + bytes(4096)
    cache = json.dumps({"layers": [{"blob": str(DIGEST), "parent": -1}], "records": []}).encode()
    return {
        "helm": _typed(
            "cncf.helm.config.v1+json",
            b'{"name":"app","version":"0.1.0","apiVersion":"v2"}',
            ("vnd.cncf.helm.chart.content.v1.tar+gzip", tarred("app/Chart.yaml")),
        ),
        "flux": _typed("cncf.flux.config.v1+json", empty_image(), flux),
        "flux of 2022": _typed("cncf.flux.config.v1+json", empty_image(str(DIGEST)), flux),
        "OPA": _typed(
            "cncf.openpolicyagent.config.v1+json",
            b"{}",
            ("vnd.cncf.openpolicyagent.policy.layer.v1+rego", b"package main\n"),
        ),
        "wasm": _typed("wasm.config.v0+json", b'{"os":"wasip1","architecture":"wasm"}', ("wasm", b"\0asm\1\0\0\0")),
        "wasm with an image's configuration": made(
            (IMAGE_CONFIG, empty_image(str(DIGEST))), ("application/vnd.wasm.content.layer.v1+wasm", b"\0asm\1\0\0\0")
        ),
        "SIF": _typed("sylabs.sif.config.v1+json", b"{}", ("vnd.sylabs.sif.layer.v1.sif", sif)),
        "BuildKit cache": made(
            ("application/vnd.buildkit.cacheconfig.v0", cache), (f"{media_types.OCI_LAYER}+gzip", tarred("usr/bin/x"))
        ),
        "ORAS files": _empty("application/vnd.example", ("application/vnd.oci.image.layer.v1.tar", b"hello")),
        "ORAS folder": _empty("application/vnd.example", (f"{media_types.OCI_LAYER}+gzip", tarred())),
        "nothing but an empty blob": _empty("application/vnd.example", (media_types.OCI_EMPTY, b"{}")),
    }


ARTIFACTS: Mapping[str, MadeImage] = {**_packages(), **_signatures(), **_models()}

"""Images of the corpus as runtimes take them: a shell below, so that they can be asked."""

import json
from typing import Any

from registry.oci.digest import Digest
from tests.corpus.builders import MANIFEST, as_json
from tests.corpus.builders import Image as CorpusImage
from tests.runtime.images import Image, bare


def over_shell(made: CorpusImage) -> Image:
    """The image with a busybox under its oldest layer; as it is when its configuration names no layers."""
    document = _document(made.config)
    if document is None:
        return Image(made.layers, made.config, made.manifest(), MANIFEST)
    shell = bare()
    document["rootfs"]["diff_ids"].insert(0, shell.diff_id)
    config = as_json(document)
    manifest = json.loads(made.manifest())
    manifest["config"] |= {"digest": str(Digest.of(config)), "size": len(config)}
    size = len(shell.blob)
    manifest["layers"].insert(0, {"mediaType": shell.media_type, "digest": str(shell.digest), "size": size})
    here = [item for index, item in enumerate(made.layers) if index not in made.missing]
    return Image((shell, *here), config, as_json(manifest), MANIFEST)


def _document(config: bytes) -> Any:
    """The configuration, if it is one whose list of layers can be changed without changing anything else."""
    try:
        document = json.loads(config)
    except (ValueError, RecursionError):
        return None
    if not isinstance(document, dict) or as_json(document) != config:
        return None
    rootfs = document.get("rootfs")
    names = rootfs.get("diff_ids") if isinstance(rootfs, dict) else None
    return document if isinstance(names, list) else None

"""Parses manifests of a source beside the event loop, which may be that of a server: sources are others' content."""

import asyncio
from functools import partial

from registry.content.parsing import in_short_turns
from registry.oci.manifest import Manifest, parse_manifest

_IN_LOOP = 65536
"""Bytes that are parsed in the event loop: they take a millisecond or two."""


async def parsed(raw: bytes, media_type: str) -> Manifest:
    """The manifest; raises ManifestInvalid."""
    if len(raw) <= _IN_LOOP:
        return parse_manifest(raw, media_type)
    return await asyncio.to_thread(in_short_turns, partial(parse_manifest, raw, media_type))

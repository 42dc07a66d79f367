"""The error for a manifest that names content which its repository does not hold."""

import heapq
from collections.abc import Collection, Sequence

from registry.oci.digest import Digest
from registry.oci.errors import ManifestBlobUnknown

_NAMED = 100
"""Missing content that an error names, at most."""


def in_order(digests: Collection[Digest]) -> list[Digest]:
    """The digests that an error names in their order, then the others in any.

    Sorting all of many is one step of the interpreter, in which no other thread runs.
    """
    named = heapq.nsmallest(_NAMED, digests)
    return [*named, *set(digests).difference(named)]


def unknown_content(missing: Sequence[Digest], why: str) -> ManifestBlobUnknown:
    """The error for a manifest that names missing content; `why` ends the sentence."""
    others = f" and {len(missing) - 1} more" if len(missing) > 1 else ""
    detail = [{"digest": digest} for digest in missing[:_NAMED]]
    return ManifestBlobUnknown(f"the manifest names {missing[0]}{others}, {why}", detail)


def named_by(error: ManifestBlobUnknown) -> list[Digest]:
    """What is missing, as far as such an error names it: the first hundred."""
    return [Digest(each["digest"]) for each in error.detail]

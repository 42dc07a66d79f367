"""A layer: the images that it is part of, as far as the caller may pull them, and what takes the room in it."""

from typing import Any

from policy.assessment.layer_contents import LayerContents
from policy.enforcement.gate import PolicyGate
from policy.inspection.archive.names import shown
from policy.inspection.layer.largest import Sized
from policy.web.pages.marks import manifest_document, mark_of
from policy.web.visit import View, Visit
from registry.metadata import overviews
from registry.oci.digest import Digest
from registry.oci.errors import BlobUnknown
from registry.oci.names import RepositoryName

_TAGS = 5
_LONGEST_PATH = 200


class LayerPage:
    """Builds `/layers/DIGEST`.

    Args:
        gate: knows the verdicts.
    """

    def __init__(self, gate: PolicyGate) -> None:
        self._gate = gate
        self._contents = LayerContents(gate.results)

    async def __call__(self, visit: Visit) -> View:
        """Raises BlobUnknown where no image that the caller may pull names it: then it is not there for the caller."""
        digest, after = Digest.parse(visit.text), visit.asked("after", 255)
        looked_at, rows = visit.settings.looked_at, visit.settings.rows
        found = await visit.services.stores.metadata.read_apart(overviews.repositories_with, digest, after, looked_at)
        images: list[dict[str, Any]] = []
        size, last = 0, ""
        for name, size_here in found:
            if len(images) >= rows:
                break
            last = name
            here = await self._images(visit, name, digest) if visit.sees(name) else []
            images += here
            size = size_here if here else size
        if not images and not after:
            raise BlobUnknown(f"no image that you may pull has a layer {digest}", {"digest": digest})
        more = bool(found) and (found[-1][0] != last or len(found) == looked_at)
        document = {
            "digest": digest,
            "size": size,
            # On the first page, which nobody has who may pull none of the images.
            "contents": None if after else await self._files(digest),
            "images": images[: 2 * rows],
            "next": last if more else "",
        }
        return View("layer.html", document, {"after": after})

    async def _files(self, digest: Digest) -> dict[str, Any]:
        """`{"pending", "why", "files", "bytes", "largest_files", "largest_directories"}`; sizes are those unpacked."""
        found = await self._contents.of(digest)
        told = {"pending": found.largest is None and not found.why, "why": found.why}
        if found.largest is None:
            return {**told, "files": 0, "bytes": 0, "largest_files": [], "largest_directories": []}
        return {
            **told,
            "files": found.largest.count,
            "bytes": found.largest.bytes,
            "largest_files": [_sized(each) for each in found.largest.files],
            "largest_directories": [_sized(each) for each in found.largest.directories],
        }

    async def _images(self, visit: Visit, name: RepositoryName, digest: Digest) -> list[dict[str, Any]]:
        metadata = visit.services.stores.metadata
        users = await metadata.read_apart(overviews.users_of, name, digest, visit.settings.rows)
        withheld = await self._gate.withheld_now(visit.principal, name, [user.digest for user in users])
        return [
            {
                "repository": name,
                "tags": await metadata.read(overviews.tags_of, name, user.digest, _TAGS),
                **manifest_document(user),
                **await mark_of(self._gate, name, user.digest),
            }
            for user in users
            if user.digest not in withheld
        ]


def _sized(each: Sized) -> dict[str, Any]:
    path, size = each
    cut = path if len(path) <= _LONGEST_PATH else path[-_LONGEST_PATH:]
    return {"path": ("" if cut is path else "…") + shown(cut), "size": size}

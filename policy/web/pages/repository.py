"""A repository: its tags, and what no tag names."""

from typing import Any

from policy.enforcement.gate import PolicyGate
from policy.web.pages.marks import manifest_document, mark_of
from policy.web.visit import View, Visit
from registry.metadata import overviews
from registry.oci.names import RepositoryName


class RepositoryPage:
    """Builds `/r/NAME`.

    Args:
        gate: knows the verdicts, and the policy of each repository.
    """

    def __init__(self, gate: PolicyGate) -> None:
        self._gate = gate

    async def __call__(self, visit: Visit, name: RepositoryName) -> View:
        """Tags after `?after=`, untagged content after `?untagged=`."""
        bound = self._gate.policies.of(name)
        tags, next_tag = await self._tags(visit, name, visit.asked("after", 128))
        untagged, next_untagged = await self._untagged(visit, name, visit.asked("untagged", 200))
        document = {
            "repository": name,
            "policy": {"name": bound.policy.name, "digest": bound.policy.digest},
            "mode": bound.mode.value,
            "tags": tags,
            "next": next_tag,
            "untagged": untagged,
            "next_untagged": next_untagged,
        }
        return View("repository.html", document, {"after": visit.asked("after"), "from": visit.asked("untagged")})

    async def _tags(self, visit: Visit, name: RepositoryName, after: str) -> tuple[list[dict[str, Any]], str]:
        rows = visit.settings.rows
        tags = await visit.services.stores.metadata.read_apart(overviews.tag_page, name, after, rows + 1)
        shown = [
            {
                "tag": tag.name,
                "updated": tag.updated,
                **manifest_document(tag.manifest),
                **await mark_of(self._gate, name, tag.manifest.digest),
            }
            for tag in tags[:rows]
        ]
        return shown, tags[rows - 1].name if len(tags) > rows else ""

    async def _untagged(self, visit: Visit, name: RepositoryName, after: str) -> tuple[list[dict[str, Any]], str]:
        settings = visit.settings
        found, going_on = await visit.services.stores.metadata.read_apart(
            overviews.untagged_page, name, after, settings.rows, settings.looked_at
        )
        digests = [each.digest for each in found]
        withheld = await visit.services.gate.withheld(visit.principal, name, digests)
        return [manifest_document(each) for each in found if each.digest not in withheld], going_on

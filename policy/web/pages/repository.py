"""A repository: its tags, and what no tag names."""

from typing import Any

from policy.enforcement.gate import PolicyGate
from policy.web.pages.marks import manifest_document, mark_of
from policy.web.visit import View, Visit
from registry.metadata import overviews
from registry.oci.names import RepositoryName

_SHARE = 5
"""One row of untagged content to so many of tags, where both are shown."""


class RepositoryPage:
    """Builds `/r/NAME`.

    Args:
        gate: knows the verdicts, and the policy of each repository.
    """

    def __init__(self, gate: PolicyGate) -> None:
        self._gate = gate

    async def __call__(self, visit: Visit, name: RepositoryName) -> View:
        """First tags, and some of what no tag names; then more of one, after `?after=` or `?untagged=`."""
        bound, rows = self._gate.policies.of(name), visit.settings.rows
        after, further = visit.asked("after", 128), visit.asked("untagged", 200)
        tags, next_tag = ([], "") if further else await self._tags(visit, name, after)
        count = rows if further else 0 if after else max(1, rows // _SHARE)
        untagged, next_untagged = await self._untagged(visit, name, further, count) if count else ([], "")
        document = {
            "repository": name,
            "policy": {"name": bound.policy.name, "digest": bound.policy.digest},
            "mode": bound.mode.value,
            "tags": tags,
            "next": next_tag,
            "untagged": untagged,
            "next_untagged": next_untagged,
        }
        return View("repository.html", document, {"after": after, "further": further})

    async def _tags(self, visit: Visit, name: RepositoryName, after: str) -> tuple[list[dict[str, Any]], str]:
        rows = visit.settings.rows
        tags = await visit.services.stores.metadata.read_apart(overviews.tag_page, name, after, rows + 1)
        shown = [
            {
                "tag": tag.name,
                "updated": tag.updated,
                "pulled": tag.pulled,
                **manifest_document(tag.manifest),
                **await mark_of(self._gate, name, tag.manifest.digest),
            }
            for tag in tags[:rows]
        ]
        return shown, tags[rows - 1].name if len(tags) > rows else ""

    async def _untagged(
        self, visit: Visit, name: RepositoryName, after: str, count: int
    ) -> tuple[list[dict[str, Any]], str]:
        found, going_on = await visit.services.stores.metadata.read_apart(
            overviews.untagged_page, name, after, count, visit.settings.looked_at
        )
        digests = [each.digest for each in found]
        withheld = await self._gate.withheld_now(visit.principal, name, digests)
        return [manifest_document(each) for each in found if each.digest not in withheld], going_on

"""A repository: its tags, what no tag names, and what tags pointed at."""

from typing import Any

from policy.enforcement.gate import PolicyGate
from policy.web.pages.marks import manifest_document, mark_of
from policy.web.visit import View, Visit
from registry.metadata import overviews, tag_history
from registry.oci.errors import BadRequest
from registry.oci.names import RepositoryName

_LONGEST_ID = 18
_SHARE = 5
"""One row of untagged content and one of history to so many of tags, where all are shown."""


class RepositoryPage:
    """Builds `/r/NAME`.

    Args:
        gate: knows the verdicts, and the policy of each repository.
    """

    def __init__(self, gate: PolicyGate) -> None:
        self._gate = gate

    async def __call__(self, visit: Visit, name: RepositoryName) -> View:
        """Tags, some of what no tag names, some history; more of one by `?after=`, `?untagged=` or `?history=`."""
        bound, rows = self._gate.policies.of(name), visit.settings.rows
        after, further, since = visit.asked("after", 128), visit.asked("untagged", 200), visit.asked("history", 32)
        some = 0 if after or further or since else max(1, rows // _SHARE)
        tags, next_tag = ([], "") if further or since else await self._tags(visit, name, after)
        untagged, next_untagged = await self._untagged(visit, name, further, rows if further else some)
        history, next_history = await self._history(visit, name, since, rows if since else some)
        document = {
            "repository": name,
            "policy": {"name": bound.policy.name, "digest": bound.policy.digest},
            "mode": bound.mode.value,
            "tags": tags,
            "next": next_tag,
            "untagged": untagged,
            "next_untagged": next_untagged,
            "history": history,
            "next_history": next_history,
        }
        return View("repository.html", document, {"after": after, "further": further, "since": since})

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
        if not count:
            return [], ""
        found, going_on = await visit.services.stores.metadata.read_apart(
            overviews.untagged_page, name, after, count, visit.settings.looked_at
        )
        digests = [each.digest for each in found]
        withheld = await self._gate.withheld_now(visit.principal, name, digests)
        return [manifest_document(each) for each in found if each.digest not in withheld], going_on

    async def _history(
        self, visit: Visit, name: RepositoryName, below: str, count: int
    ) -> tuple[list[dict[str, Any]], str]:
        """What tags pointed at, the latest first, without what is withheld."""
        if below and (not below.isdecimal() or len(below) > _LONGEST_ID):
            raise BadRequest(f"history is {below[:32]!r}: follow the link as it was given")
        if not count:
            return [], ""
        found = await visit.services.stores.metadata.read_apart(
            tag_history.of_repository, name, int(below) if below else None, count + 1
        )
        withheld = await self._gate.withheld_now(visit.principal, name, {each.entry.digest for each in found})
        shown = [
            {
                "time": each.entry.time,
                "tag": each.tag,
                "digest": each.entry.digest,
                "deleted": each.entry.deleted,
                "by": each.by,
            }
            for each in found[:count]
            if each.entry.digest not in withheld and not each.is_hidden
        ]
        return shown, str(found[count - 1].entry.id) if len(found) > count else ""

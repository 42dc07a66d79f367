"""Activity: what changed lately, the latest first, in the repositories that the caller may see.

Blobs are left out: a push has many, and of an image that is withheld nobody is told what it consists of.
"""

from policy.web.visit import View, Visit
from registry.metadata import overviews
from registry.oci.errors import BadRequest
from registry.oci.names import RepositoryName

_LONGEST_ID = 18
_BLOBS = "blob."


async def activity_page(visit: Visit) -> View:
    """Builds `/activity`, before the event `?before=`."""
    before = visit.asked("before", 32)
    if before and (not before.isdecimal() or len(before) > _LONGEST_ID):
        raise BadRequest(f"before is {before[:32]!r}: follow the link as it was given")
    rows, stride = visit.settings.rows, visit.settings.looked_at
    found = await visit.services.stores.metadata.read_apart(
        overviews.events_before, int(before) if before else None, stride
    )
    told = [each for each in found if not each.kind.startswith(_BLOBS)]
    seen = [each for each in told if visit.sees(RepositoryName(each.repository))]
    shown = seen[:rows]
    more = len(seen) > rows or len(found) == stride
    last = shown[-1] if len(seen) > rows else found[-1] if found else None
    document = {
        "events": [
            {
                "id": each.id,
                "time": each.time,
                "kind": each.kind,
                "repository": each.repository,
                "digest": each.digest,
                "tag": each.tag,
                "by": each.by,
            }
            for each in shown
        ],
        "next": str(last.id) if more and last else "",
    }
    return View("activity.html", document, {"before": before})

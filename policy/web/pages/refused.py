"""What was refused lately in the repositories that the caller may see: pulls, pushes and references."""

from typing import Any

from policy.decision import AccessPoint
from policy.enforcement.refusals import Refused
from policy.state import State
from policy.web.owners import is_owner
from policy.web.visit import Visit
from registry.metadata import locks

_WORDS = {
    AccessPoint.MANIFEST: "pull",
    AccessPoint.BLOB: "pull of a blob",
    AccessPoint.PUSH: "push",
    AccessPoint.REFERENCE: "reference",
}

_STATES = frozenset(state.value for state in State)


async def seen(visit: Visit, refusals: list[Refused]) -> list[Refused]:
    """Those that the caller may hear of: nobody hears of what is locked against lists."""
    visible = [each for each in refusals if visit.sees(each.asked.repository)]
    if not visible:
        return []
    bearers = [(each.asked.repository, name) for each in visible for name in _bearers(each)]
    hidden = await visit.services.stores.metadata.read_apart(locks.unlisted, bearers)
    return [each for each in visible if not any((each.asked.repository, name) in hidden for name in _bearers(each))]


def documents(visit: Visit, refusals: list[Refused]) -> list[dict[str, Any]]:
    """Rows of the page; who it was is for owners, and for who it was."""
    owner = is_owner(visit)
    return [_document(each, named=owner or each.asked.principal.id == visit.principal.id) for each in refusals]


def _document(each: Refused, *, named: bool) -> dict[str, Any]:
    asked = each.asked
    return {
        "time": each.time,
        "what": _WORDS.get(each.point, each.point.value),
        "repository": asked.repository,
        "tag": asked.tag,
        "digest": asked.digest,
        "is_blob": each.point is AccessPoint.BLOB,
        "is_stored": each.point is not AccessPoint.PUSH,
        "verdict": each.state if each.state in _STATES else "",
        "why": each.why,
        "times": each.times,
        "by": asked.principal.name if named else "",
    }


def _bearers(each: Refused) -> list[str]:
    return [locks.REPOSITORY, each.asked.digest, *([each.asked.tag] if each.asked.tag else [])]

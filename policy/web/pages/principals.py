"""Principals: who may sign in, with what rights, and until when. For owners."""

import time
from typing import Any

from policy.web.owners import require_owner
from policy.web.visit import View, Visit
from registry.config.group import DAY
from registry.metadata import principals as rows
from registry.metadata.principals import PrincipalRow

_SHOWN = 500


async def principals_page(visit: Visit) -> View:
    """Builds `/principals`; of secrets it tells their ends alone."""
    require_owner(visit, "see the principals")
    known = await visit.services.stores.metadata.read_apart(rows.everyone)
    now = time.time()
    document = {"principals": [_document(row, now) for row in known[:_SHOWN]], "count": len(known)}
    return View("principals.html", document)


def _document(row: PrincipalRow, now: float) -> dict[str, Any]:
    return {
        "id": row.id,
        "name": row.name,
        "role": row.role,
        "repositories": list(row.repositories),
        "scope_map": row.scope_map,
        "enabled": row.enabled,
        "created": row.created,
        "secrets": [
            {"name": each.name, "expires": each.expires, "days": int((each.expires - now) // DAY)}
            for each in row.secrets
        ],
    }

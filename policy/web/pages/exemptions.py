"""Exemptions: all that there are, the next to end first; made and ended by owners."""

import asyncio
import time
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import Any

from starlette.responses import Response

from policy.enforcement.exemptions import EXEMPTED, Exemption, ExemptionRefused, new_exemption
from policy.enforcement.gate import PolicyGate
from policy.enforcement.operator_file import OperatorFileRefused
from policy.web.owners import require_owner
from policy.web.sign_in import require_form, see_other
from policy.web.visit import View, Visit
from registry.config.group import DAY
from registry.oci.errors import BadRequest
from registry.telemetry.request_record import note_decision

_DAYS = 30
_SHOWN = 500


class ExemptionsPage:
    """Builds `/exemptions`, and makes and ends exemptions.

    Args:
        gate: has them in force.
    """

    def __init__(self, gate: PolicyGate) -> None:
        self._gate = gate

    async def __call__(self, visit: Visit) -> View:
        """For owners: they name repositories of all."""
        require_owner(visit, "see all exemptions")
        now = time.time()
        known = sorted(self._gate.exemptions(), key=lambda each: (each.expires < now, each.expires))
        document = {"exemptions": [_document(each, now) for each in known[:_SHOWN]], "count": len(known)}
        new = {name: visit.asked(name, 255) for name in ("repositories", "digest", "rule")}
        until = (datetime.now(UTC) + timedelta(days=_DAYS)).date().isoformat()
        return View("exemptions.html", document, {"new": new | {"until": until}, "rules": EXEMPTED})

    async def make(self, visit: Visit) -> Response:
        """POST: one more."""
        require_owner(visit, "make an exemption")
        made = _read(await require_form(visit))
        await self._change(visit, f"exempt {made.id}", made)
        return see_other(f"/exemptions#{made.id}")

    async def end(self, visit: Visit) -> Response:
        """POST: one fewer."""
        require_owner(visit, "end an exemption")
        identifier = (await require_form(visit)).get("exemption", "")
        await self._change(visit, f"revoke {identifier}"[:64], identifier)
        return see_other("/exemptions")

    async def _change(self, visit: Visit, decision: str, change: Exemption | str) -> None:
        try:
            await asyncio.to_thread(
                self._gate.change_orders,
                lambda orders: (
                    orders.without_exemption(change) if isinstance(change, str) else orders.with_exemption(change)
                ),
            )
        except OperatorFileRefused as refusal:
            raise BadRequest(str(refusal)) from None
        note_decision(visit.request, decision)


def _document(each: Exemption, now: float) -> dict[str, Any]:
    return {
        **asdict(each),
        "until": each.until,
        "days": int((each.expires - now) // DAY),
        "ended": each.expires <= now,
    }


def _read(fields: dict[str, str]) -> Exemption:
    """The exemption that a form asks for. Raises BadRequest."""
    given = {name: fields.get(name, "") for name in ("repositories", "digest", "rule", "owner", "reason", "until")}
    try:
        return new_exemption(**given)
    except ExemptionRefused as refusal:
        raise BadRequest(str(refusal)) from None

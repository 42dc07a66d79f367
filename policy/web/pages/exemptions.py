"""Exemptions: all that there are, the next to end first; made and ended by owners."""

import asyncio
import secrets
import time
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import Any

from starlette.responses import Response

from policy.enforcement.exemptions import Exemption
from policy.enforcement.gate import PolicyGate
from policy.enforcement.operator_file import FILE, OperatorFileRefused, change_orders
from policy.rules import RULES
from policy.web.owners import require_owner
from policy.web.sign_in import require_form, see_other
from policy.web.visit import View, Visit
from registry.auth.enrolment import require_pattern
from registry.errors import BasegateError
from registry.oci.digest import Digest
from registry.oci.errors import BadRequest
from registry.telemetry.request_record import request_record_of

_RULES = (*(rule.name for rule in RULES), "*")
_DAYS = 30
_SHOWN = 500
_LONGEST = 500


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
        return View("exemptions.html", document, {"new": new | {"until": until}, "rules": _RULES})

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
        path = visit.services.stores.settings.current.data / FILE
        try:
            await asyncio.to_thread(
                change_orders,
                path,
                lambda orders: (
                    orders.without_exemption(change) if isinstance(change, str) else orders.with_exemption(change)
                ),
            )
        except OperatorFileRefused as refusal:
            raise BadRequest(str(refusal)) from None
        self._gate.orders_changed()
        record = request_record_of(visit.request.scope)
        if record is not None:
            record.decision = decision


def _document(each: Exemption, now: float) -> dict[str, Any]:
    return {
        **asdict(each),
        "until": each.until,
        "days": int((each.expires - now) // 86400),
        "ended": each.expires <= now,
    }


def _read(fields: dict[str, str]) -> Exemption:
    """The exemption that a form asks for. Raises BadRequest or DigestInvalid."""
    given = {
        name: fields.get(name, "").strip() for name in ("repositories", "digest", "rule", "owner", "reason", "until")
    }
    for name in ("repositories", "rule", "owner", "reason", "until"):
        if not given[name] or len(given[name]) > _LONGEST:
            raise BadRequest(f"the exemption has no {name}, or one of more than {_LONGEST} characters: fill it in")
    if given["rule"] not in _RULES:
        raise BadRequest(f"there is no rule {given['rule'][:64]!r}: known are {', '.join(_RULES)}")
    try:
        require_pattern(given["repositories"])
    except BasegateError as refusal:
        raise BadRequest(str(refusal)) from None
    digest = Digest.parse(given["digest"]) if given["digest"] else ""
    expires = _end(given["until"])
    return Exemption(
        secrets.token_hex(4), given["repositories"], digest, given["rule"], given["owner"], given["reason"], expires
    )


def _end(text: str) -> float:
    try:
        end = datetime.fromisoformat(text)
    except ValueError:
        raise BadRequest(f"the end is {text[:32]!r}: needs a date such as 2027-01-31") from None
    seconds = (end if end.tzinfo else end.replace(tzinfo=UTC)).timestamp()
    if seconds <= time.time():
        raise BadRequest(f"the end is {text[:32]!r}, which is over: needs a later date")
    return seconds

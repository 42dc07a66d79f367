"""Exemptions as they are ordered and told."""

import secrets
import time
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from policy.enforcement.exemptions import Exemption
from policy.enforcement.operator_file import OperatorFileRefused
from policy.rules import RULES
from registry.auth.enrolment import EnrolmentRefused, require_pattern
from registry.oci.digest import Digest
from registry.oci.errors import DigestInvalid
from registry.oci.timestamp import timestamp

RULE_NAMES = (*(rule.name for rule in RULES), "*")
_LONGEST = 500


def new_exemption(  # noqa: PLR0913, PLR0917 - one for each part
    repositories: str, digest: str, rule: str, owner: str, reason: str, until: str
) -> Exemption:
    """An exemption that was ordered, with an id.

    Raises:
        OperatorFileRefused: a part of it is absent or not valid, or it is over.
    """
    for name, text in (("owner", owner), ("reason", reason)):
        if not text.strip() or len(text) > _LONGEST:
            raise OperatorFileRefused(f"the {name} is empty or longer than {_LONGEST} characters: say who, and why")
    if rule not in RULE_NAMES:
        raise OperatorFileRefused(f"there is no rule {rule[:64]!r}: known are {', '.join(RULE_NAMES)}")
    try:
        require_pattern(repositories)
        named = Digest.parse(digest) if digest else ""
    except EnrolmentRefused as refusal:
        raise OperatorFileRefused(str(refusal)) from None
    except DigestInvalid as refusal:
        raise OperatorFileRefused(refusal.message) from None
    return Exemption(secrets.token_hex(4), repositories, named, rule, owner, reason, _end(until))


def exemptions_document(exemptions: Sequence[Exemption]) -> dict[str, Any]:
    """`{"exemptions": [{"id", "repositories", "digest", "rule", "owner", "reason", "expires", "ended"}]}`."""
    return {"exemptions": [exemption_document(each) for each in exemptions]}


def exemption_document(exemption: Exemption) -> dict[str, Any]:
    """One exemption."""
    ended = exemption.expires <= time.time()
    return asdict(exemption) | {"expires": timestamp(exemption.expires), "ended": ended}


def _end(text: str) -> float:
    try:
        time_of_end = datetime.fromisoformat(text)
    except ValueError:
        raise OperatorFileRefused(f"--until is {text[:32]!r}: needs a date such as 2026-01-31") from None
    end = (time_of_end if time_of_end.tzinfo else time_of_end.replace(tzinfo=UTC)).timestamp()
    if end <= time.time():
        raise OperatorFileRefused(f"--until is {text[:32]!r}, which is over: needs a later date")
    return end

"""Exemptions as they are told."""

import time
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from policy.enforcement.exemptions import Exemption
from registry.oci.timestamp import timestamp


def exemptions_document(exemptions: Sequence[Exemption]) -> dict[str, Any]:
    """`{"exemptions": [{"id", "repositories", "digest", "rule", "owner", "reason", "expires", "ended"}]}`."""
    return {"exemptions": [exemption_document(each) for each in exemptions]}


def exemption_document(exemption: Exemption) -> dict[str, Any]:
    """One exemption."""
    ended = exemption.expires <= time.time()
    return asdict(exemption) | {"expires": timestamp(exemption.expires), "ended": ended}

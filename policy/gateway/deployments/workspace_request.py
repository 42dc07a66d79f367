"""The body of a new workspace: nothing, or which resource group and subscription its id names; no I/O."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from policy.gateway.inference_config.parse import InferenceConfigUnreadable, parse
from registry.oci.errors import BadRequest

_SUBSCRIPTION = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_MEMBERS = ("resourceGroup", "subscription")
_NEEDED = 'needs nothing, or {"resourceGroup": "…", "subscription": "…"}'


@dataclass(frozen=True, slots=True)
class WorkspaceRequest:
    """What a workspace's id is to hold; "" for what the settings say."""

    resource_group: str = ""
    subscription: str = ""


def read_workspace(raw: bytes) -> WorkspaceRequest:
    """Read a body. Raises BadRequest when it is anything else."""
    if not raw.strip():
        return WorkspaceRequest()
    try:
        document = parse(raw.decode("utf-8"))
    except (InferenceConfigUnreadable, UnicodeDecodeError):
        raise BadRequest(f"the body cannot be read: {_NEEDED}") from None
    unknown = [str(key)[:40] for key in document if key not in _MEMBERS]
    if unknown:
        raise BadRequest(f"there is no member {unknown[0]}: {_NEEDED}")
    group, subscription = (_text(document, member) for member in _MEMBERS)
    if subscription and not _SUBSCRIPTION.fullmatch(subscription):
        raise BadRequest(f"subscription is {subscription[:80]!r}: needs a GUID")
    return WorkspaceRequest(group, subscription)


def _text(document: Mapping[str, Any], member: str) -> str:
    value = document.get(member) or ""
    if not isinstance(value, str):
        raise BadRequest(f"{member} is no text: {_NEEDED}")
    return value

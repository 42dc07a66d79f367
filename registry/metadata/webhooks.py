"""Webhooks that are made while the registry runs, and their last deliveries."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, delete, insert, select

from registry.metadata.tables import event_sinks, webhook_deliveries, webhooks

PREFIX = "webhook-"
"""Of their names among the sinks."""


@dataclass(frozen=True, slots=True)
class Webhook:
    """One webhook.

    Attributes:
        name: of its maker's.
        url: where it is.
        actions: what it is told of: push, delete, quarantine.
        scope: REPOSITORY or REPOSITORY:TAG, either with `*`; "" for everything.
        headers: further header fields.
        enabled: whether it is told.
        created: seconds since the epoch.
    """

    name: str
    url: str
    actions: tuple[str, ...]
    scope: str
    headers: Mapping[str, str]
    enabled: bool
    created: float


def every(connection: Connection) -> list[Webhook]:
    """All of them, by name."""
    return [_webhook(row) for row in connection.execute(select(webhooks).order_by(webhooks.c.name))]


def find(connection: Connection, name: str) -> Webhook | None:
    """One of them, or `None`."""
    row = connection.execute(select(webhooks).where(webhooks.c.name == name)).first()
    return None if row is None else _webhook(row)


def put(connection: Connection, webhook: Webhook) -> bool:
    """Make or change one; returns whether it was there."""
    known = connection.execute(delete(webhooks).where(webhooks.c.name == webhook.name)).rowcount > 0
    values = {name: getattr(webhook, name) for name in Webhook.__slots__}
    values |= {"actions": list(webhook.actions), "headers": dict(webhook.headers)}
    connection.execute(insert(webhooks), values)
    return known


def remove(connection: Connection, name: str) -> bool:
    """Forget one, with its place and its deliveries."""
    connection.execute(delete(webhook_deliveries).where(webhook_deliveries.c.webhook == name))
    connection.execute(delete(event_sinks).where(event_sinks.c.name == f"{PREFIX}{name}"))
    return connection.execute(delete(webhooks).where(webhooks.c.name == name)).rowcount > 0


def note_delivery(connection: Connection, name: str, time: float, told: Mapping[str, Any], keep: int) -> None:
    """Note a delivery to a webhook: its `document`; the last `keep` are kept. None of one that is gone."""
    if find(connection, name) is None:
        return
    row = {"webhook": name, "time": time, "document": dict(told)}
    connection.execute(insert(webhook_deliveries), row)
    own = webhook_deliveries.c.webhook == name
    newest = select(webhook_deliveries.c.id).where(own).order_by(webhook_deliveries.c.id.desc()).limit(keep)
    connection.execute(delete(webhook_deliveries).where(own, webhook_deliveries.c.id.not_in(newest)))


def deliveries(connection: Connection, name: str) -> list[dict[str, Any]]:
    """The last deliveries to a webhook, the newest first."""
    asked = select(webhook_deliveries.c.document).where(webhook_deliveries.c.webhook == name)
    return list(connection.execute(asked.order_by(webhook_deliveries.c.id.desc())).scalars())


def _webhook(row: Any) -> Webhook:
    return Webhook(row.name, row.url, tuple(row.actions), row.scope, row.headers, row.enabled, row.created)

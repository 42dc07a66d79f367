"""Standing orders in a copy of the rows: they are in the same database, and nothing could make them again."""

from sqlalchemy import Connection, text

from policy.enforcement.operator_file import orders_as_json, parse_orders

_IS_TABLE = text("SELECT to_regclass(:name) IS NOT NULL")


class CopiedOperatorFile:
    """See `registry.maintenance.row_archive.CopiedBeside`."""

    name = "standing-orders"

    def taken(self, rows: Connection) -> bytes | None:
        """As their file has them."""
        from policy.enforcement.operator_rows import SCHEMA, read_row  # noqa: PLC0415 - the driver is an extra

        if not rows.execute(_IS_TABLE, {"name": f"{SCHEMA}.standing_orders"}).scalar():
            return None
        return orders_as_json(read_row(rows))

    def put_back(self, target: Connection, content: bytes) -> None:
        """In a schema of their own."""
        from policy.enforcement.operator_rows import make_orders  # noqa: PLC0415 - the driver is an extra

        make_orders(target, parse_orders(content))

"""What a gate judges by moves with rows: results, which could be made again, and standing orders, which could not."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from sqlalchemy import Connection, text

from policy.enforcement.operator_file import FILE as ORDERS
from policy.enforcement.operator_file import orders_as_json, read_orders
from policy.results.sqlite_store import FILE as RESULTS
from policy.results.sqlite_store import SqliteResults
from policy.results.tables import SCHEMA
from registry.maintenance.migration.tables import TableSum, copy_tables
from registry.storage.disk.atomic_file import replace_file

_IS_SCHEMA = text("SELECT to_regnamespace(:name) IS NOT NULL")
_IS_TABLE = text("SELECT to_regclass(:name) IS NOT NULL")
_ORDERS = "standing_orders"


class MovedJudging:
    """See `registry.maintenance.migration.moving.BesideRows`."""

    files: Sequence[str] = (RESULTS, f"{RESULTS}-wal", f"{RESULTS}-shm", ORDERS)

    def into_database(self, data: Path, target: Connection) -> Mapping[str, int]:
        """Into schemas of their own. A damaged policy.db is begun anew, as always, and moves empty."""
        from policy.enforcement.operator_rows import make_orders  # noqa: PLC0415 - the driver is an extra
        from policy.results.postgres_schema import NAME, ensured  # noqa: PLC0415

        orders = read_orders(data / ORDERS)
        make_orders(target, orders)
        target.exec_driver_sql(f"SET LOCAL search_path TO {NAME}")
        ensured(target)
        results = SqliteResults(data / RESULTS)
        try:
            results.settle()
            sums = results.read(copy_tables, target, SCHEMA)
        finally:
            results.close()
        target.exec_driver_sql("SET LOCAL search_path TO DEFAULT")
        return _counted(sums) | {_ORDERS: len(orders.activations) + len(orders.exemptions)}

    def into_folder(self, source: Connection, folder: Path) -> Mapping[str, int]:
        """Into files. Results of another version, or damaged ones, are left behind: they are made again."""
        from policy.enforcement.operator_rows import SCHEMA as ORDERS_SCHEMA  # noqa: PLC0415 - the driver is an extra
        from policy.enforcement.operator_rows import read_row  # noqa: PLC0415

        counts = _counted(self._results_into(folder, source))
        if source.execute(_IS_TABLE, {"name": f"{ORDERS_SCHEMA}.{_ORDERS}"}).scalar():
            orders = read_row(source)
            replace_file(folder / ORDERS, orders_as_json(orders), 0o666)
            counts[_ORDERS] = len(orders.activations) + len(orders.exemptions)
        return counts

    @staticmethod
    def _results_into(folder: Path, source: Connection) -> Mapping[str, TableSum]:
        from policy.results.postgres_schema import NAME, is_damage  # noqa: PLC0415 - the driver is an extra

        if not source.execute(_IS_SCHEMA, {"name": NAME}).scalar():
            return {}
        results = SqliteResults(folder / RESULTS)
        try:
            with source.begin_nested():
                source.exec_driver_sql(f"SET LOCAL search_path TO {NAME}")
                sums = results.write(lambda target: copy_tables(source, target, SCHEMA))
                source.exec_driver_sql("SET LOCAL search_path TO DEFAULT")
        except Exception as error:
            if not is_damage(error):
                raise
            return {}
        finally:
            results.close()
        return sums


def _counted(sums: Mapping[str, TableSum]) -> dict[str, int]:
    return {name: each.rows for name, each in sums.items()}

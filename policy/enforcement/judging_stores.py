"""What a gate judges by, opened: results and standing orders, in the data folder or beside rows in PostgreSQL."""

from dataclasses import dataclass

from sqlalchemy.exc import DBAPIError

from policy.enforcement.operator_file import FILE as ORDERS
from policy.enforcement.operator_file import OperatorFileInForce, read_orders
from policy.enforcement.operator_store import OperatorStore
from policy.results.sqlite_store import FILE as RESULTS
from policy.results.sqlite_store import SqliteResults
from policy.results.store import ResultStore
from registry.config.settings import RegistrySettings
from registry.content.opened_rows import database_of
from registry.errors import BasegateError


class ResultsUnusable(BasegateError):
    """The database of `metadata.url` takes no results."""


@dataclass(frozen=True, slots=True)
class JudgingStores:
    """Of one process; who has opened them closes them.

    Attributes:
        results: inspections and verdicts.
        orders: what people decided by command.
    """

    results: ResultStore
    orders: OperatorStore

    def close(self) -> None:
        """Commit what is pending and let go of both."""
        self.results.close()


def open_judging(settings: RegistrySettings) -> JudgingStores:
    """The stores that settings name: `data` and `metadata` count.

    Raises:
        OperatorFileRefused: the standing orders cannot be read.
        RowsUnusable, ResultsUnusable, Unavailable: the database cannot be used.
    """
    if settings.metadata.url:
        return _beside_rows(settings)
    orders = OperatorFileInForce(settings.data / ORDERS)
    return JudgingStores(SqliteResults(settings.data / RESULTS), orders)


def _beside_rows(settings: RegistrySettings) -> JudgingStores:
    group = settings.metadata
    database = database_of(settings)
    import psycopg  # noqa: PLC0415 - not a part of every installation

    from policy.enforcement.operator_rows import OperatorRows  # noqa: PLC0415
    from policy.results.postgres_store import PostgresResults  # noqa: PLC0415
    from registry.database.postgres_errors import reason_on_one_line  # noqa: PLC0415

    try:
        results = PostgresResults(database, group.connections, group.silence_seconds, group.lease_seconds)
    except (DBAPIError, psycopg.Error) as error:
        reason = reason_on_one_line(error)
        raise ResultsUnusable(
            f"the database of metadata.url takes no results: {reason}. See that the server runs, and that its user may "
            "create schemas there (GRANT CREATE ON DATABASE)"
        ) from error
    try:
        return JudgingStores(results, OperatorRows(results, read_orders(settings.data / ORDERS)))
    except BaseException:
        results.close()
        raise

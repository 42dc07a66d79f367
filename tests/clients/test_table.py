"""docs/clients.md is what the last run of these tests wrote."""

from tests.clients.conftest import OPERATIONS
from tests.clients.roster import ROSTER
from tests.clients.table import HEADING, PAGE, Table, Trial, texts_of


def test_a_cell_says_over_what_and_how() -> None:
    """Transports first, then what there is to remark; a dash where the client has no such command."""
    table = Table(("one", "two"), ("push",), {"one": "1.0"})
    over_tls = Trial("one", "push", "TLS", "by itself")
    table.trials = [over_tls, Trial("one", "push", "HTTP", "by itself", "no: `x`")]
    said = table.render()
    assert "| | one 1.0 | two |" in said
    assert "| push | HTTP, TLS: by itself | - |" in said
    assert texts_of(said, "one", "1.0") == {"push": "no: `x`"}


def test_a_cell_says_where_transports_differ() -> None:
    """Each remark stands behind the transports that it is about."""
    table = Table(("one",), ("pull",))
    table.trials = [Trial("one", "pull", "TLS", "when run again"), Trial("one", "pull", "HTTP", "by itself")]
    assert "| pull | HTTP: by itself; TLS: when run again |" in table.render()


def test_the_page_is_of_this_roster() -> None:
    """Every client has its column and every operation its row: `make clients-table` writes the page anew."""
    page = PAGE.read_text(encoding="utf-8")
    columns = next(line for line in page.splitlines() if line.startswith("| | "))
    assert page.startswith(HEADING)
    assert [column.split()[0] for column in columns.strip("| ").split(" | ")] == [entry.name for entry in ROSTER]
    assert [operation for operation in OPERATIONS if f"\n| {operation} | " not in page] == []

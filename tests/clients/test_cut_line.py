"""What every client makes of a line that is cut in the middle of a layer."""

from collections.abc import Callable

import pytest

from tests.clients.client import Endpoint
from tests.clients.conftest import Connect
from tests.clients.cut_line import CutLine, cut_line
from tests.clients.program import Outcome
from tests.clients.roster import Entry, every
from tests.clients.site import Site
from tests.clients.trees import LARGE_BYTES

AFTER_BYTES = 3 << 20
Trial = Callable[..., None]


def _until_it_works(attempt: Callable[[], Outcome], line: CutLine) -> str:
    """Try, and try again when the cut ended the client; how it went on, for the table."""
    first = attempt()
    if not first.ok:
        attempt().check()
    assert line.cuts == 1
    # Whoever begins anew sends or gets all of the layer; bytes are counted, because under TLS they cannot be read.
    continued = line.passed_since < LARGE_BYTES
    return ("by itself" if first.ok else "when run again") + (", from where it was" if continued else "")


@pytest.mark.parametrize("entry", every())
def test_pull_over_a_cut_line(entry: Entry, site: Site, connect: Connect, repository: str, trial: Trial) -> None:
    """An image comes whole although the line was cut once."""
    straight = connect(entry, site.endpoint)
    straight.log_in(site.owner.username, site.owner.password).check()
    straight.push(site.layout, "large", site.name(repository, "v1")).check()
    with cut_line(site.endpoint.host, AFTER_BYTES) as line:
        cut = connect(entry, Endpoint(line.host, site.endpoint.ca))
        cut.log_in(site.owner.username, site.owner.password).check()
        note = _until_it_works(lambda: cut.pull(f"{line.host}/{repository}:v1"), line)
    trial("pull over a cut line", note)


@pytest.mark.parametrize("entry", every())
def test_push_over_a_cut_line(entry: Entry, site: Site, connect: Connect, repository: str, trial: Trial) -> None:
    """An image goes in whole although the line was cut once."""
    with cut_line(site.endpoint.host, AFTER_BYTES) as line:
        cut = connect(entry, Endpoint(line.host, site.endpoint.ca))
        cut.log_in(site.owner.username, site.owner.password).check()
        name = f"{line.host}/{repository}:v1"
        note = _until_it_works(lambda: cut.push(site.layout, "large", name), line)
        cut.pull(name).check()
    trial("push over a cut line", note)

"""Refusals of the disk that pass: a registry goes on by itself, without a restart."""

import errno
import time

import pytest

from tests.crash.caller import LARGE
from tests.crash.control import FOR_LONG, Act, Calls, Fault
from tests.crash.laboratory import Laboratory
from tests.crash.site import NoStart, Site
from tests.crash.trial import REPOSITORY

SECONDS = 30
READING = Fault(Act.REFUSE, 1, FOR_LONG, Calls.READ, errno.EIO, "registry.db")
FULL = Fault(Act.REFUSE, 1, FOR_LONG, Calls.CHANGES, errno.ENOSPC)


def goes_through(site: Site) -> bool:
    """Whether a push is acknowledged."""
    caller = site.caller(REPOSITORY)
    caller.blob(caller.content(LARGE))
    return not caller.refusals


@pytest.mark.parametrize("fault", [READING, FULL], ids=["EIO of reads", "ENOSPC"])
def test_a_registry_goes_on_when_the_disk_does(laboratory: Laboratory, fault: Fault) -> None:
    """Refused while it lasts, and taken within seconds after it."""
    with laboratory.site() as site:
        site.start()
        site.control.arm(fault)
        while goes_through(site):
            pass  # pages that are in memory answer for some time
        site.control.arm(Fault())
        deadline = time.monotonic() + SECONDS
        while not goes_through(site):
            assert time.monotonic() < deadline, "it never goes on"
            time.sleep(0.2)
        site.check()
        assert site.found.all == []


@pytest.mark.parametrize("at", range(1, 7))
def test_a_start_with_a_refused_database_ends_or_serves(laboratory: Laboratory, at: int) -> None:
    """Whichever opening of the database is refused: exit code 2, or a server that takes pushes."""
    with laboratory.site() as site:
        try:
            site.start(Fault(Act.REFUSE, at, 1, Calls.OPEN, errno.EMFILE, "registry.db"))
        except NoStart as refused:
            assert refused.code == 2
            assert "registry.db" in str(refused) or "data folder" in str(refused)
        else:
            assert goes_through(site) or goes_through(site)  # the first may have met the refusal


def test_a_database_that_cannot_be_read_is_unavailable(laboratory: Laboratory) -> None:
    """503 and not 500, also where a connection is opened only then."""
    with laboratory.site() as site:
        site.start()
        caller = site.caller(REPOSITORY)
        site.control.arm(Fault(Act.REFUSE, 5, FOR_LONG, Calls.READ, errno.EIO))
        for _ in range(4):
            caller.image("doomed")
            caller.delete_tag("doomed")
        assert {answer.status for _, _, answer in caller.refusals} <= {503, 400, 404}

"""Pushes over a TLS line that is cut at any byte: no client waits, and each comes to its end.

Three of each client by default; `make cut-pushes` makes 200 in all and tells what became of them.
"""

import os
import random
import ssl
import time
from collections import Counter
from collections.abc import Callable, Iterator

import httpx
import pytest

from registry.oci.digest import Digest
from tests.clients.client import Endpoint
from tests.clients.conftest import Connect
from tests.clients.cut_line import CutLine, cut_line
from tests.clients.roster import ROSTER
from tests.clients.site import Site
from tests.clients.trees import LARGE_BYTES

PUSHES = int(os.environ.get("CUT_PUSHES", "9"))
CLIENTS = ("regctl", "oras", "raw")
SECONDS = 10.0
CONTENT = random.Random(0).randbytes(LARGE_BYTES)  # noqa: S311 - test data
DIGEST = Digest.of(CONTENT)
LAST_BYTES = 40_000
"""So many before the end of the layer every third cut comes: around its last bytes, and the answer."""

Push = Callable[[str], bool]
pytestmark = pytest.mark.parametrize("site", ["TLS"], indirect=True)


@pytest.fixture
def line(site: Site) -> Iterator[CutLine]:
    """A line to the registry."""
    with cut_line(site.endpoint.host) as opened:
        yield opened


def cuts(count: int) -> Iterator[int]:
    """After how many bytes the line is cut."""
    chance = random.Random(count)  # noqa: S311 - test data
    for number in range(count):
        yield LARGE_BYTES - chance.randrange(LAST_BYTES) if number % 3 == 2 else chance.randrange(1_000, LARGE_BYTES)


def through(line: CutLine, name: str, push: Push, count: int) -> None:
    """Push so often, and tell how that went; a client that waits for more than its time-out fails here."""
    ends: Counter[str] = Counter()
    slowest = 0.0
    for number, after_bytes in enumerate(cuts(count)):
        line.cut_again(after_bytes)
        began = time.monotonic()
        repository = f"{name}/cut-{number}"
        by_itself = push(repository)
        assert by_itself or push(repository), f"push {number}, cut after {after_bytes} bytes"
        slowest = max(slowest, time.monotonic() - began)
        ends["by itself" if by_itself else "when run again"] += 1
        ends["not cut"] += not line.cuts
    print(f"{name}: {count} pushes, {dict(ends)}, slowest {slowest:.1f} s")  # noqa: T201
    assert ends["not cut"] == 0


@pytest.mark.parametrize("name", ["regctl", "oras"])
def test_a_program_comes_to_its_end(site: Site, connect: Connect, line: CutLine, name: str) -> None:
    """By itself, or when it is run again; never by its time-out."""
    entry = next(entry for entry in ROSTER if entry.name == name)
    client = connect(entry, Endpoint(line.host, site.endpoint.ca))
    client.log_in(site.owner.username, site.owner.password).check()
    client.program.seconds = SECONDS  # type: ignore[attr-defined]
    push: Push = lambda repository: client.push(site.layout, "large", f"{line.host}/{repository}:v1").ok  # noqa: E731
    through(line, name, push, PUSHES // len(CLIENTS))
    client.pull(f"{line.host}/{name}/cut-0:v1").check()


def test_a_raw_client_comes_to_its_end(site: Site, line: CutLine) -> None:
    """It makes the request that was cut again, to the same session, and gets its 201."""
    trusting = ssl.create_default_context(cafile=site.endpoint.ca)
    account = (site.owner.username, site.owner.password)
    with httpx.Client(
        base_url=f"https://{line.host}", auth=account, verify=trusting, timeout=SECONDS, trust_env=False
    ) as http:
        through(line, "raw", lambda repository: whole(http, repository), PUSHES - 2 * (PUSHES // len(CLIENTS)))
        assert http.get(f"/v2/raw/cut-0/blobs/{DIGEST}").content == CONTENT


def whole(http: httpx.Client, repository: str) -> bool:
    """POST, then the same PUT until it is answered; every request once more at most."""
    opened = asked(lambda: http.post(f"/v2/{repository}/blobs/uploads/"))
    place = opened.headers["location"]
    answer = asked(lambda: http.put(place, params={"digest": DIGEST}, content=CONTENT))
    return (opened.status_code, answer.status_code) == (202, 201)


def asked(request: Callable[[], httpx.Response]) -> httpx.Response:
    """The answer; a line that breaks is tried once more, a time-out is not."""
    try:
        return request()
    except (httpx.NetworkError, httpx.RemoteProtocolError):
        return request()

"""What a person reads when the registry says no: each client shows the reason in full."""

from collections.abc import Callable

import pytest

from tests.clients.client import Client
from tests.clients.conftest import Connect
from tests.clients.roster import Entry, every
from tests.clients.site import Site

Trial = Callable[..., None]


@pytest.fixture
def reader(entry: Entry, site: Site, connect: Connect) -> Client:
    """The client of this test, signed in as the principal that may only pull."""
    made = connect(entry, site.endpoint)
    made.log_in(site.reader.username, site.reader.password).check()
    return made


@pytest.mark.parametrize("entry", every())
def test_sign_in(entry: Entry, site: Site, connect: Connect, trial: Trial) -> None:
    """A principal signs in with its name and secret."""
    connect(entry, site.endpoint).log_in(site.reader.username, site.reader.password).check()
    trial("sign in")


@pytest.mark.parametrize("entry", every())
def test_wrong_password(entry: Entry, site: Site, connect: Connect, trial: Trial) -> None:
    """A wrong secret is refused, and the client says so."""
    outcome = connect(entry, site.endpoint).log_in(site.reader.username, "wrong")
    assert not outcome.ok
    trial("wrong password", text=outcome.said(site.endpoint.host))


@pytest.mark.parametrize("entry", every())
def test_push_as_a_reader(entry: Entry, reader: Client, site: Site, repository: str, trial: Trial) -> None:
    """A principal that may only pull is told so when it pushes."""
    outcome = reader.push(site.layout, "cleared", site.name(repository, "v1"))
    said = outcome.said(site.endpoint.host)
    reason = f"principal ci-reader (role AcrPull) may not push to {repository}: needs role AcrPush or Owner"
    assert not outcome.ok
    assert (reason if entry.shows_push_reasons else "authoriz") in said
    trial("push as a reader", text=said.replace(repository, "team/app"))


@pytest.fixture
def refused(client: Client, site: Site, repository: str) -> str:
    """An image in the registry that lacks what the policy requires."""
    name = site.name(repository, "v1")
    client.push(site.layout, "refused", name).check()
    return name


@pytest.mark.parametrize("entry", every())
def test_pull_of_an_image_that_is_not_cleared(entry: Entry, reader: Client, refused: str, trial: Trial) -> None:
    """Who may only pull is told what was found in a refused image and what is required."""
    outcome = reader.pull(refused)
    host, _, image = refused.partition("/")
    reason = f"{image} is not cleared by policy azureml-2019-07: Python 3.7.1 found at opt/miniconda/conda-meta"
    assert not outcome.ok
    assert (reason if entry.shows_reasons else "403 Forbidden") in outcome.said(host)
    repository = image.partition(":")[0]
    trial("pull of an image that is not cleared", text=outcome.said(host).replace(repository, "team/app"))

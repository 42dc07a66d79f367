"""Extensions: what a package on top brings is served, told, counted and closed with the registry."""

import asyncio
from collections.abc import Iterator
from contextlib import closing, suppress
from functools import partial
from pathlib import Path

import pytest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from registry.api.requirements import Requirement
from registry.api.routes import Row, with_more
from registry.api.services import Services, Stores
from registry.app import build
from registry.auth.principals import Principal
from registry.config.reload import Reload, Turn
from registry.config.settings import RegistrySettings
from registry.extension import Extension, compose
from registry.oci.digest import Digest
from registry.telemetry.request_record import RequestRecord
from tests.registry.gates import REFUSED, GateOfTests
from tests.registry.open_services import image
from tests.servers import LiveRegistry, joining, open_settings, running


class Gauge(Collector):
    """One number."""

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """It is always 7."""
        yield GaugeMetricFamily("greetings", "A number.", 7)


class Heard:
    """What two small extensions hear of the registry that they join."""

    def __init__(self) -> None:
        self.events: list[str] = []
        self.operations: list[str] = []

    def greeting(self, _stores: Stores) -> Extension:
        """A row, a number, background work, and a follower of the settings."""
        return Extension(
            routes=lambda _services: (Row("GET", "/hello/{name}", Requirement.NOTHING, "greetings.say", hello),),
            background=(self.work,),
            followers=(self.follow,),
            collectors=(Gauge(),),
            close=partial(self.events.append, "greeting closed"),
        )

    def refusing(self, _stores: Stores) -> Extension:
        """A gate and an observer."""
        gate = GateOfTests()
        gate.push = REFUSED
        return Extension(gate=gate, observers=(self.observe,), close=partial(self.events.append, "refusing closed"))

    def observe(self, record: RequestRecord) -> None:
        """Hear of a request."""
        self.operations.append(record.operation)

    async def work(self) -> None:
        """Run until the server ends."""
        self.events.append("work began")
        with suppress(asyncio.CancelledError):
            await asyncio.Event().wait()
        self.events.append("work ended")

    async def follow(self, settings: RegistrySettings) -> Turn:
        """Hear of changed settings."""
        return partial(self.events.append, f"{settings.limits.tags_page} tags a page")


async def hello(services: Services, request: Request, _principal: Principal) -> Response:
    """Greet, and name the repositories."""
    page = await services.catalog.page(lambda _name: True, 10, "")
    return PlainTextResponse(f"hello {request.path_params['name']}, here are: {', '.join(page.items)}")


async def gone(_services: Services, _request: Request, _principal: Principal) -> Response:
    """What is moved."""
    return PlainTextResponse("gone", 410)


def row(path: str, operation: str = "things.show") -> Row:
    """A row that anybody may ask for."""
    return Row("GET", path, Requirement.NOTHING, operation, gone)


def broken(_stores: Stores) -> Extension:
    """An extension that cannot be made."""
    raise OSError("the greeting cannot be read")


def both(heard: Heard, stores: Stores) -> Extension:
    """The two as one."""
    return compose([partial(heard.greeting, stores), partial(heard.refusing, stores)])


@pytest.fixture(name="heard")
def _heard() -> Heard:
    return Heard()


@pytest.fixture(name="live")
def _live(heard: Heard, tmp_path: Path) -> Iterator[LiveRegistry]:
    with running(build(open_settings(tmp_path / "data"), extension=partial(both, heard))) as live:
        yield live


def test_rows_are_served_beside_the_registrys(live: LiveRegistry) -> None:
    """The handler has the registry's services; the registry answers as before."""
    with live.client() as client:
        client.post("/v2/team/app/blobs/uploads/")
        assert client.get("/hello/you").text.startswith("hello you, here are:")
        assert client.get("/v2/").status_code == 200


def test_the_gate_of_one_extension_decides(live: LiveRegistry) -> None:
    """A push is refused in its words."""
    with live.client() as client:
        place = client.post("/v2/a/blobs/uploads/").headers["location"]
        client.put(place, params={"digest": Digest.of(b"{}")}, content=b"{}").raise_for_status()
        answer = client.put("/v2/a/manifests/v1", content=image(()))
    assert (answer.status_code, answer.json()["errors"][0]["message"]) == (403, REFUSED.message)


def test_observers_and_collectors_of_all_count(live: LiveRegistry, heard: Heard) -> None:
    """A row of one extension is heard of by the other, and its number is among the metrics."""
    with live.client() as client:
        client.get("/hello/you")
        assert "greetings 7.0" in client.get("/metrics").text
    assert heard.operations[0] == "greetings.say"


def test_they_end_with_the_server_in_reverse_order(heard: Heard, tmp_path: Path) -> None:
    """Work first, then the last extension, then the first, while the stores are open."""
    with running(build(open_settings(tmp_path / "data"), extension=partial(both, heard))):
        pass
    assert heard.events == ["work began", "work ended", "refusing closed", "greeting closed"]


def test_they_follow_the_settings(heard: Heard, tmp_path: Path) -> None:
    """A reload asks them, and turns them with everything else."""
    wanted = open_settings(tmp_path / "data", limits={"tags_page": 3})
    with closing(build(open_settings(tmp_path / "data"), extension=partial(both, heard))) as app:
        assert asyncio.run(Reload(app.settings, lambda: wanted, app.followers).now()) is not None
        assert heard.events == ["3 tags a page"]


def test_what_was_made_is_closed_when_the_next_cannot_be(heard: Heard, tmp_path: Path) -> None:
    """Its error is raised; the data folder can be opened again at once."""
    makers = (heard.greeting, broken)
    with pytest.raises(OSError, match="greeting cannot be read"):
        build(open_settings(tmp_path), extension=lambda stores: compose(partial(make, stores) for make in makers))
    assert heard.events == ["greeting closed"]
    build(open_settings(tmp_path)).close()


def test_what_was_made_is_closed_when_its_rows_cannot_be_served(heard: Heard, tmp_path: Path) -> None:
    """An extension that takes a path of the registry is refused, and closed."""
    taken = joining(routes=lambda _services: [row("/healthz")], close=partial(heard.events.append, "closed"))
    with pytest.raises(ValueError, match=r"health\.alive and things\.show both answer GET /healthz"):
        build(open_settings(tmp_path), extension=taken)
    assert heard.events == ["closed"]


def test_there_is_one_gate(heard: Heard, tmp_path: Path) -> None:
    """Two are a mistake in the program, and both extensions are closed."""
    with pytest.raises(ValueError, match="2 extensions bring one: GateOfTests and GateOfTests"):
        build(open_settings(tmp_path), extension=lambda stores: compose([partial(heard.refusing, stores)] * 2))
    assert heard.events == ["refusing closed", "refusing closed"]


@pytest.mark.parametrize("path", ["/v2", "/v2/_new", "/v2/{name:repository}/things"])
def test_the_paths_of_the_specification_are_taken(path: str) -> None:
    """Nothing is added below /v2/."""
    with pytest.raises(ValueError, match="choose another path"):
        with_more([row(path)])


def test_a_row_that_takes_every_path_hides_no_other() -> None:
    """The longest beginning comes first, whoever's it is."""
    rows = [row("/{rest:path}"), row("/lab/{rest:path}"), row("/lab/v1/_new"), row("/lab/v1/{rest:path}")]
    paths = [each.path for each in with_more(rows)]
    assert paths[-3:] == ["/lab/v1/{rest:path}", "/lab/{rest:path}", "/{rest:path}"]
    assert "/lab/v1/_new" in paths[:-3]

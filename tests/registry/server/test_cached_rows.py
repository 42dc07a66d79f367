"""What a row of the route table says of the request headers that it varies by is all that its handler reads."""

import asyncio
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import httpx
import pytest
from starlette.requests import Request

from registry.api.requirements import Requirement
from registry.api.routes import TABLE, Row, build
from registry.app import RegistryApp
from registry.app import build as build_app
from registry.oci.digest import Digest
from registry.oci.names import RepositoryName
from registry.server.response_cache import ResponseCache
from tests.registry.open_services import image
from tests.servers import open_settings

CONFIG = Digest.of(b"{}")
MANIFEST = Digest.of(image(()))
PARAMETERS: dict[str, dict[str, Any]] = {
    "root.check": {},
    "catalog.page": {},
    "extensions.list": {"name": RepositoryName("a")},
    "tags.page": {"name": RepositoryName("a")},
    "tags.history": {"name": RepositoryName("a"), "tag": "v1"},
    "referrers.page": {"name": RepositoryName("a"), "digest": MANIFEST},
    "manifests.pull": {"name": RepositoryName("a"), "reference": "v1"},
    "blobs.pull": {"name": RepositoryName("a"), "digest": CONFIG},
}
ASKED: tuple[dict[str, str], ...] = (
    {},
    {"range": "bytes=0-0"},
    {"range": "bytes=0-0,1-1"},
    {"range": "bytes=0-0", "if-range": f'"{CONFIG}"'},
    {"if-none-match": '"other"'},
    {"if-none-match": f'"{CONFIG}", "{MANIFEST}"'},
)
CACHED = [(method, row) for row in TABLE if row.varies_by is not None for method in row.methods.split()]


class Name(bytes):
    """A header's name that remembers what it was compared with: whoever looks for a header compares its name."""

    wanted: set[str]

    def __eq__(self, other: object) -> bool:
        """Write down what is looked for."""
        self.wanted.add(other.decode("latin-1") if isinstance(other, bytes) else repr(other))
        return bytes(self) == other

    def __hash__(self) -> int:
        """No handler puts the names of all headers somewhere."""
        raise TypeError("all headers are read")

    def decode(self, *_arguments: Any, **_keywords: Any) -> str:
        """Nor does it go through all of them."""
        raise TypeError("all headers are read")


@pytest.fixture(name="app", scope="module")
def _app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RegistryApp]:
    """A registry with one image."""

    async def push() -> None:
        transport = httpx.ASGITransport(app.asgi)
        async with httpx.AsyncClient(transport=transport, base_url="http://a") as client:
            place = (await client.post("/v2/a/blobs/uploads/")).headers["location"]
            (await client.put(place, params={"digest": CONFIG}, content=b"{}")).raise_for_status()
            (await client.put("/v2/a/manifests/v1", content=image(()))).raise_for_status()

    with closing(build_app(open_settings(tmp_path_factory.mktemp("data")))) as app:
        asyncio.run(push())
        yield app


async def headers_read(app: RegistryApp, method: str, row: Row, headers: dict[str, str]) -> set[str]:
    """Names of the headers that are looked for until one request is answered."""
    Name.wanted = set()
    fields = [(Name(name.encode()), value.encode()) for name, value in {"x-other": "", **headers}.items()]
    scope = {
        "type": "http",
        "method": method,
        "path": row.path,
        "query_string": b"",
        "headers": fields,
        "path_params": PARAMETERS[row.operation],
    }
    statuses: list[int] = []

    async def send(message: Any) -> None:
        statuses.append(message.get("status", 0))

    async def receive() -> Any:
        return {"type": "http.request"}

    response = await build(app.services, [row])[0].endpoint(Request(scope))
    await response(scope, receive, send)
    assert statuses[0] in {200, 206, 304}
    return Name.wanted


@pytest.mark.parametrize(("method", "row"), CACHED, ids=lambda value: getattr(value, "path", value))
def test_a_handler_reads_what_its_row_says_and_no_more(app: RegistryApp, method: str, row: Row) -> None:
    """Whole, in parts, and when the caller has it already."""
    read = set[str]().union(*(asyncio.run(headers_read(app, method, row, asked)) for asked in ASKED))
    assert read - {"authorization"} == set(row.varies_by or ())


def test_every_row_is_tried() -> None:
    """A row that says what it varies by needs parameters above."""
    assert {row.operation for _, row in CACHED} == set(PARAMETERS)


def test_a_row_that_everybody_may_read_is_not_remembered(app: RegistryApp) -> None:
    """Nobody would be asked who he is."""
    row = Row("GET", "/open", Requirement.NOTHING, "things.show", TABLE[0].handler, frozenset())
    with pytest.raises(ValueError, match=r"things\.show cannot be remembered"):
        ResponseCache(app.services, [row], app.asgi, 1000)

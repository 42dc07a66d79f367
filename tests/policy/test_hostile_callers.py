"""Hostile bodies and heads against every route, counted: what is parsed, where, and for whom."""

import json
import re
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
import yaml

from policy.settings import Settings
from registry.api.requirements import Requirement
from registry.api.routes import SAFE_METHODS, Row
from registry.database.statement import Statement
from registry.oci.digest import Digest
from tests.policy.every_row import every_row
from tests.policy.images_made import good
from tests.policy.live import LiveGateway, live_gateway

IMAGE = "application/vnd.oci.image.manifest.v1+json"
LAYER = {"mediaType": "application/vnd.oci.image.layer.v1.tar", "digest": "sha256:" + "0" * 64, "size": 1}
BODIES: dict[str, bytes] = {
    "deep JSON": b'{"a":' * 20_000,
    "a member in two cases": b"{" + b",".join(b'"a%d":0,"A%d":0' % (n, n) for n in range(8_000)) + b"}",
    "a member twice": b"{" + b",".join(b'"a%d":0' % n for n in range(15_000)) + b',"a0":0}',
    "digits": b'{"a":' + b"1" * 240_000 + b"}",
    "a number in sixties": b"a: 1" + b":59" * 80_000,
    "aliases that multiply": b"a: &a [x,x,x]\nb: &b [*a,*a,*a]\nc: &c [*b,*b,*b]\n" + b"d: [*c,*c]\n" * 4_000,
    "flow that opens only": b"[" * 200_000,
    "keys": b"\n".join(b"k%d: v" % n for n in range(20_000)),
    "a configuration in a text": json.dumps({"inferenceConfig": "a: 1" + ":59" * 80_000}).encode(),
    "layers": json.dumps({"schemaVersion": 2, "mediaType": IMAGE, "config": LAYER, "layers": [LAYER] * 1_500}).encode(),
    "fields of a form": b"a=b&" * 15_000,
    "scopes": b"grant_type=password&scope=" + b"repository:a:pull%20" * 3_000,
}
HEADS: dict[str, dict[str, str]] = {
    "many fields": {f"x-{number}": "y" for number in range(3_000)},
    "a long cookie": {"cookie": "a=b;" * 14_000},
    "ranges": {"range": "bytes=" + "0-0," * 14_000},
    "tags of entities": {"if-none-match": '"a",' * 14_000},
    "types": {"accept": "a/b;q=0.1," * 5_000},
    "proxies without an end": {"forwarded": "a" * 60_000},
    "proxies with quotes": {"forwarded": 'for="a,' * 8_000},
    "proxies in a row": {"x-forwarded-for": "1.2.3.4," * 7_000},
    "a scheme of its own": {"authorization": "Bearer " + "a." * 28_000},
    "half a secret": {"authorization": "Basic " + "YTpi" * 14_000},
    "a request id": {"x-request-id": "a" * 60_000},
}


@dataclass(frozen=True, slots=True)
class Parsed:
    """One text that a parser was given: how long it was, and in which thread."""

    size: int
    thread: str


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveGateway]:
    """A server that believes what proxies say, so that their headers are read as well."""
    server = {"trusted_proxies": ["127.0.0.1"]}
    auth = {"throttle": {"delay_seconds": 0.0, "pair_failures": 10_000, "address_failures": 10_000}}
    with live_gateway(tmp_path_factory.mktemp("data"), server=server, auth=auth) as started:
        yield started


@pytest.fixture
def parsed(monkeypatch: pytest.MonkeyPatch) -> list[Parsed]:
    """Every text that JSON's and YAML's parsers are given from now on."""
    seen: list[Parsed] = []

    def counted(parse: Callable[..., Any], place: int) -> Callable[..., Any]:
        def parsing(*arguments: Any, **more: Any) -> Any:
            seen.append(Parsed(len(arguments[place]), threading.current_thread().name))
            return parse(*arguments, **more)

        return parsing

    monkeypatch.setattr(json.JSONDecoder, "decode", counted(json.JSONDecoder.decode, 1))
    monkeypatch.setattr(yaml, "parse", counted(yaml.parse, 0))
    return seen


def rows() -> list[tuple[str, Row]]:
    """Every route, once for each method."""
    return [(method, row) for row in every_row() for method in row.methods.split()]


WRITES = [(method, row) for method, row in rows() if method not in SAFE_METHODS]
named = pytest.mark.parametrize(("method", "row"), WRITES, ids=[f"{m}-{r.operation}-{r.path[-8:]}" for m, r in WRITES])


def path_of(live: LiveGateway, row: Row) -> str:
    """A path of a route; its upload, where it names one, is open."""
    path = row.path.replace("{name:repository}", "team/app").replace("{digest}", "sha256:" + "0" * 64)
    if "{upload}" in path:
        with live.client("admin") as client:
            path = client.post("/v2/team/app/blobs/uploads/").headers["location"] + "?digest=sha256:" + "0" * 64
    names = {"reference": "v1", "deployment": "d-0", "workspace": "default", "principal": "nobody"}
    return re.sub(r"\{(\w+)\}", lambda named: names.get(named[1], named[0]), path)


@named
@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES.keys())
@pytest.mark.parametrize("caller", ["nobody", "an anonymous token"])
def test_nothing_is_parsed_before_the_caller_is_authorised(  # noqa: PLR0917
    live: LiveGateway, parsed: list[Parsed], method: str, row: Row, body: bytes, caller: str
) -> None:
    """Nothing that a caller without credentials sends, but the form of one who asks for a token."""
    with live.registry.client() as client:
        token = client.get("/oauth2/token", params={"service": "a"}).json()["token"]
        path = path_of(live, row)
        parsed.clear()
        fields = {"Authorization": f"Bearer {token}"} if caller != "nobody" else {}
        answer = client.request(method, path, content=body, headers={"Content-Type": IMAGE, **fields})
    assert answer.status_code in ({400, 401, 413} if row.needs is Requirement.NOTHING else {401})
    assert all(each.size < 1_000 for each in parsed)


@named
@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES.keys())
def test_what_is_parsed_in_the_loop_is_short(
    live: LiveGateway, parsed: list[Parsed], method: str, row: Row, body: bytes
) -> None:
    """Also of those who may: what is longer is read by a thread, and nothing longer than the limits say."""
    limits = Settings()
    with live.client("admin") as client:
        path = path_of(live, row)
        parsed.clear()
        answer = client.request(method, path, content=body, headers={"Content-Type": IMAGE})
    assert answer.status_code < 500
    for each in parsed:
        assert each.size <= limits.limits.loop_bytes or each.thread.startswith("parsing")
        assert each.size <= limits.limits.manifest_bytes


@pytest.mark.parametrize("kind", ["", "application/octet-stream"])
def test_a_long_configuration_is_not_parsed_in_the_loop(live: LiveGateway, parsed: list[Parsed], kind: str) -> None:
    """Neither to tell what it is, nor to judge it."""
    made, labels = good(), ",".join(f'"label{number}":"{kind}"' for number in range(5_000))
    config = made.config.replace(b'"config": {', b'"config": {"Labels": {%b}, ' % labels.encode())
    document = json.loads(made.manifest)
    document["config"] |= {"digest": str(Digest.of(config)), "size": len(config)} | (
        {"mediaType": kind} if kind else {}
    )
    with live.client("admin") as client:
        for blob in (config, *made.layers):
            client.post("/v2/team/app/blobs/uploads/", params={"digest": str(Digest.of(blob))}, content=blob)
        parsed.clear()
        answer = client.put("/v2/team/app/manifests/long", json=document, headers={"Content-Type": IMAGE})
    assert answer.status_code == 201
    threads = {each.thread.rstrip("_0123456789") for each in parsed if each.size >= len(config)}
    assert threads
    assert "registry" not in threads


@pytest.mark.parametrize(("method", "row"), rows(), ids=[f"{m}-{r.operation}-{r.path[-8:]}" for m, r in rows()])
def test_hostile_heads_are_answered(live: LiveGateway, parsed: list[Parsed], method: str, row: Row) -> None:
    """With no text of theirs given to a parser that is not as short as a token's parts."""
    path = path_of(live, row)
    with live.registry.client() as client:
        for name, fields in HEADS.items():
            parsed.clear()
            answer = client.request(method, path, headers=fields)
            assert answer.status_code < 500, name
            assert sum(each.size for each in parsed) <= Settings().server.head_bytes, name
        assert client.request(method, path + "?" + "a=b&" * 15_000).status_code < 500
        assert client.request(method, path + "%61" * 20_000).status_code < 500


def test_a_head_too_long_is_431(live: LiveGateway) -> None:
    """Whatever it holds."""
    with live.registry.client() as client:
        assert client.get("/v2/", headers={"cookie": "a" * 70_000}).status_code == 431


def test_a_check_too_long_is_413(live: LiveGateway) -> None:
    """Before it is read."""
    body = b"{" + bytes(300_000)
    with live.client("reader") as client:
        answer: httpx.Response = client.post("/policy/v1/references:check", content=body)
    assert answer.status_code == 413


def test_no_statement_is_run_in_the_loop_for_each_blob(live: LiveGateway, monkeypatch: pytest.MonkeyPatch) -> None:
    """That a manifest names, of thousands that are nowhere."""
    first, asked = Statement.first, []

    def counted(self: Statement, *arguments: Any) -> Any:
        asked.append(threading.current_thread().name)
        return first(self, *arguments)

    monkeypatch.setattr(Statement, "first", counted)
    layers = [{**LAYER, "digest": f"sha256:{number:064x}"} for number in range(2_000)]
    manifest = {"schemaVersion": 2, "mediaType": IMAGE, "config": LAYER, "layers": layers}
    with live.client("admin") as client:
        answer = client.put("/v2/team/app/manifests/v1", json=manifest, headers={"Content-Type": IMAGE})
    assert (answer.status_code, len(asked) < 100) == (400, True)

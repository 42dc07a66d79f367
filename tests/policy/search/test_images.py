"""`GET /policy/v1/images`: what is found, by whom, page by page."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import pytest

from registry.oci.timestamp import zoned_seconds_of
from tests.clients.layouts import Image
from tests.clients.trees import cleared_image, refused_image
from tests.policy.live import LiveGateway, live_gateway
from tests.waiting import wait_until

PATH = "/policy/v1/images"


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveGateway]:
    """`team/app` with a cleared and a refused image, `elsewhere/app` with a cleared one, an index in `team/multi`."""
    folder = tmp_path_factory.mktemp("search")
    with live_gateway(folder / "data", pulls={"write_seconds": 0.05}) as gateway:
        pushes: dict[str, tuple[Image, ...]] = {
            "team/app:good": (cleared_image(),),
            "team/app:bad": (refused_image("bad"),),
            "elsewhere/app:good": (cleared_image(),),
            "team/multi:v1": (cleared_image(), cleared_image(architecture="arm64")),
        }
        for number, (name, images) in enumerate(pushes.items()):
            gateway.push(folder / str(number), name, *images)
        gateway.settle()
        yield gateway


def ask(live: LiveGateway, who: str, *conditions: str, **paging: Any) -> httpx.Response:
    """Each condition is one encoded parameter."""
    parts = [quote(each, safe="") for each in conditions] + [f"{name}={value}" for name, value in paging.items()]
    with live.client(who) as client:
        return client.get(f"{PATH}?{'&'.join(parts)}")


def names(answer: httpx.Response) -> set[str]:
    """The images of an answer, by their first tag or, without one, by repository."""
    assert answer.status_code == 200, answer.text
    return {
        each["repository"] + (f":{each['tags'][0]['tag']}" if each["tags"] else "") for each in answer.json()["images"]
    }


@pytest.mark.parametrize(
    ("conditions", "found"),
    [
        (["verdict=refused"], {"team/app:bad"}),
        (["repository=team/app"], {"team/app:good", "team/app:bad"}),
        (["repository~team/*", "tag=v1"], {"team/multi:v1"}),
        (["platform=linux/arm64"], {"team/multi", "team/multi:v1"}),
        (["kind=index", "os.name=ubuntu"], {"team/multi:v1"}),
        (["tag.age>1d"], set()),
        (["tagged=no"], {"team/multi"}),
        (["conda>=4.5", "verdict=cleared", "repository=elsewhere/app"], {"elsewhere/app:good"}),
        (["policy=azureml-2019-07", "verdict=refused"], {"team/app:bad"}),
        (["exempt=yes"], set()),
        (["base=team/app:good"], set()),
        (["size>1TB"], set()),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_what_is_found(live: LiveGateway, conditions: list[str], found: set[str]) -> None:
    """All conditions hold of each."""
    assert names(ask(live, "admin", *conditions)) == found


def test_an_image_is_told_whole(live: LiveGateway) -> None:
    """With what rows, results and policies say of it."""
    (told,) = ask(live, "admin", "tag=bad").json()["images"]
    assert (told["repository"], told["verdict"]) == ("team/app", "refused")
    assert told["facts"]["os.name"] == ["ubuntu"]
    assert told["facts"]["platform"] == ["linux/amd64"]
    assert (told["policy"], told["exempt"], told["pushed_by"]) == ("azureml-2019-07", False, "admin")


def test_a_reader_finds_in_its_repositories_alone(live: LiveGateway) -> None:
    """Of others neither rows nor counts nor places."""
    answer = ask(live, "outsider")
    assert names(answer) == {"elsewhere/app:good"}
    assert (answer.json()["next"], "link" in answer.headers) == ("", False)


def test_a_place_in_a_hidden_repository_is_as_if_it_were_not_there(live: LiveGateway) -> None:
    """Whether or not it holds an image that the caller sees elsewhere."""
    (seen,) = ask(live, "outsider").json()["images"]
    pages = [names(ask(live, "outsider", last=f"{seen['digest']}@team/{name}")) for name in ("multi", "none")]
    assert pages[0] == pages[1] == {"elsewhere/app:good"}


def test_who_has_not_signed_in_finds_nothing(live: LiveGateway) -> None:
    """It is asked to."""
    with live.registry.client() as client:
        assert client.get(PATH).status_code == 401


def test_a_layer_of_a_refused_image_does_not_find_it_for_a_reader(live: LiveGateway) -> None:
    """What a withheld image consists of is withheld; who may push sees it."""
    with live.client("admin") as client:
        manifest = client.get("/v2/team/app/manifests/bad").json()
    layer = f"layer={manifest['layers'][0]['digest']}"
    assert names(ask(live, "admin", layer)) == {"team/app:bad"}
    assert names(ask(live, "reader", layer)) == set()


def test_a_base_that_one_may_not_pull_is_unknown(live: LiveGateway) -> None:
    """As if it were not there."""
    refused = ask(live, "reader", "base=team/app:bad")
    unknown = ask(live, "reader", "base=team/app:none")
    assert (refused.status_code, unknown.status_code) == (404, 404)
    texts = [each.json()["errors"][0]["message"].replace("none", "bad") for each in (refused, unknown)]
    assert texts[0] == texts[1]


def test_pages_join(live: LiveGateway) -> None:
    """One by one, by the Link of each, they are what one page has."""
    whole = ask(live, "admin", "kind~*").json()["images"]
    found: list[dict[str, Any]] = []
    with live.client("admin") as client:
        url: str | None = f"{PATH}?{quote('kind~*')}&n=1"
        while url:
            answer = client.get(url)
            found += answer.json()["images"]
            url = answer.links.get("next", {}).get("url")
    assert found == whole
    assert len(whole) > 3


@pytest.mark.parametrize(
    "query",
    ["os.versions%3C16", "os.name%3Cubuntu", "nonsense", "verdict%3Dgood", "n=-1", "last=x", "last=sha256:0@Bad_Name"],
)
def test_a_wrong_question_is_refused(live: LiveGateway, query: str) -> None:
    """In the form of the specification."""
    with live.client("admin") as client:
        answer = client.get(f"{PATH}?{query}")
    assert answer.status_code == 400
    assert json.loads(answer.content)["errors"][0]["message"]


def test_a_pull_is_found(live: LiveGateway, tmp_path: Path) -> None:
    """And what never was pulled."""
    live.push(tmp_path, "pulled/app:v1", refused_image("pulled"))
    assert "pulled/app:v1" in names(ask(live, "admin", "pulled=never"))
    with live.client("admin") as client:
        client.get("/v2/pulled/app/manifests/v1").raise_for_status()
    wait_until(lambda: ask(live, "admin", "repository=pulled/app").json()["images"][0]["pulled"] is not None)
    (told,) = ask(live, "admin", "repository=pulled/app").json()["images"]
    assert told["tags"][0]["pulled"] == told["pulled"] >= told["pushed"]
    assert zoned_seconds_of(told["pulled"])
    assert "pulled/app:v1" in names(ask(live, "admin", "pulled.age<1h"))

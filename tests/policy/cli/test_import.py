"""`basegate import`: into data folders and running servers, each image with its verdict."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.clients.layouts import Layout
from tests.clients.trees import cleared_image
from tests.policy.cli.transfers import empty_registry, events, lab_images, piped, run, signed_in
from tests.policy.live import LiveGateway, live_gateway


@pytest.fixture(name="images", scope="module")
def _images(tmp_path_factory: pytest.TempPathFactory) -> Layout:
    return lab_images(tmp_path_factory.mktemp("images") / "layout")


@pytest.fixture(name="data")
def _data(tmp_path: Path) -> str:
    return empty_registry(tmp_path / "data")


@pytest.fixture(name="live", scope="module")
def _live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveGateway]:
    with live_gateway(tmp_path_factory.mktemp("live") / "data") as live:
        yield live


def test_each_image_has_a_line_with_its_verdict(images: Layout, data: str) -> None:
    """What was found, and by which policy."""
    result = run("import", str(images.folder), "team/app", "--all", "--data", data)
    good, bad = result.stdout.splitlines()
    assert result.exit_code == 0
    assert good.startswith("team/app:good@sha256:")
    assert good.endswith("imported: cleared by policy azureml-2019-07")
    assert "imported: refused by policy azureml-2019-07: " in bad


def test_a_second_import_copies_nothing(images: Layout, data: str) -> None:
    """It says that everything was there, with the verdicts again."""
    words = ("import", str(images.folder), "team/app", "--all", "--data", data)
    run(*words)
    again = run(*words)
    assert [line.count("there already: ") for line in again.stdout.splitlines()] == [1, 1]
    assert "0 B copied" in again.stderr


def test_json_tells_every_step(images: Layout, data: str) -> None:
    """Blobs with their bytes, manifests, and each image with its verdict."""
    result = run("import", str(images.folder), "team/app", "--all", "--data", data, "--json")
    assert [image["verdict"] for image in events(result, "image")] == ["cleared", "refused"]
    assert {event["stage"] for event in events(result, "blob")} >= {"begun", "done"}
    assert all(event["moved"] == event["size"] for event in events(result, "blob") if event["stage"] == "done")


def test_one_of_several_images_has_to_be_named(images: Layout, data: str) -> None:
    """The message lists them."""
    result = run("import", str(images.folder), "team/app", "--data", data)
    assert (result.exit_code, "name one with --image, or take --all: good, bad" in result.stderr) == (2, True)


def test_a_named_image_gets_the_tag_of_the_target(images: Layout, data: str) -> None:
    """Whatever it is called in the source."""
    result = run("import", str(images.folder), "team/app:v1", "--image", "good", "--data", data)
    assert result.stdout.startswith("team/app:v1@sha256:")


def test_an_archive_of_standard_input(images: Layout, data: str, tmp_path: Path) -> None:
    """As `docker save … | basegate import -`."""
    images.write_docker_archive("good", tmp_path / "it.tar", "example/base:v3")
    done = piped((tmp_path / "it.tar").read_bytes(), "import", "-", "team/app", "--data", data)
    assert done.stdout.startswith(b"team/app:v3@sha256:"), done
    assert done.stdout.endswith(b"imported: cleared by policy azureml-2019-07\n")


def test_a_name_with_a_host_is_a_repository_of_the_folder(images: Layout, data: str) -> None:
    """With --data: as the copies of public images are called."""
    name = "mcr.microsoft.com/azureml/base"
    result = run("import", str(images.folder), f"{name}:v1", "--image", "good", "--data", data)
    assert result.stdout.startswith(f"{name}:v1@sha256:")


def test_into_a_running_server(images: Layout, live: LiveGateway) -> None:
    """Over HTTP, with the server's verdicts."""
    result = run("import", str(images.folder), f"{live.host}/team/http", "--all", "--json", **signed_in(live, "admin"))
    assert [image["verdict"] for image in events(result, "image")] == ["cleared", "refused"], result.stderr
    with live.client("reader") as reader:
        assert [reader.head(f"/v2/team/http/manifests/{tag}").status_code for tag in ("good", "bad")] == [200, 403]


def test_who_may_only_pull_imports_nothing(images: Layout, live: LiveGateway) -> None:
    """The server refuses, and says why."""
    words = ("import", str(images.folder), f"{live.host}/team/denied", "--all")
    result = run(*words, **signed_in(live, "reader"))
    assert (result.exit_code, "refuses" in result.stderr) == (2, True), result.stderr
    with live.client("admin") as admin:
        assert admin.get("/v2/team/denied/tags/list").status_code == 404


def test_from_a_registry(live: LiveGateway, data: str, tmp_path: Path) -> None:
    """An image of a running registry and its signed verdict, with the credentials that are kept for it."""
    digest = live.push(tmp_path / "pushed", "team/source:v1", cleared_image())
    kept = tmp_path / "docker"
    login = ("login", live.host, "--username", "reader", "--password", live.secrets["reader"])
    run(*login, DOCKER_CONFIG=str(kept))
    result = run("import", f"{live.host}/team/source:v1", "team/app", "--data", data, DOCKER_CONFIG=str(kept))
    assert result.stdout.startswith(f"team/app:v1@{digest} imported, with 1 referrer: cleared"), result.stderr


def test_a_source_that_is_nothing_is_told(data: str) -> None:
    """Neither a path nor a registry."""
    result = run("import", "nothing.tar", "team/app", "--data", data)
    assert (result.exit_code, "nothing.tar is no file or folder" in result.stderr) == (2, True)


def test_a_push_that_a_policy_rejects_is_told(images: Layout, data: str, tmp_path: Path) -> None:
    """In mode reject the image is not recorded; the reason is the gate's."""
    settings = tmp_path / "basegate.yaml"
    settings.write_text(f"data: {data}\npolicy: {{mode: reject}}\n")
    words = ("import", str(images.folder), "team/app", "--image", "bad", "--data", data, "--config", str(settings))
    result = run(*words)
    assert (result.exit_code, "is not cleared by policy" in result.stderr) == (2, True), result.stderr
    assert run("repo", "ls", "--data", data, "--json").stdout.strip() in {"[]", '[\n  "team/app"\n]'}
    assert run("tag", "ls", "team/app", "--data", data, "--json").stdout.strip() == "[]"


def test_a_repository_of_an_upstream_takes_no_import(images: Layout, data: str, tmp_path: Path) -> None:
    """As it takes no push at the server, by the settings; nothing of the image is stored."""
    settings = tmp_path / "mirror.json"
    settings.write_text(json.dumps({"upstreams": [{"prefix": "hub", "url": "docker.io"}]}))
    words = ("import", str(images.folder), "hub/app", "--all", "--data", data)
    result = run(*words, BASEGATE_CONFIG=str(settings))
    assert (result.exit_code, "hub/app is filled from docker.io" in result.stderr) == (2, True)
    assert not any(file.is_file() for file in (Path(data) / "blobs").rglob("*"))

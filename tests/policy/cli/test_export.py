"""`basegate export`: what the caller may pull, as one layout, and back into another registry."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from registry.auth.actions import Role
from registry.auth.enrolment import draft
from tests.policy.cli.transfers import dump, empty_registry, events, lab_images, piped, run, signed_in
from tests.policy.live import LiveGateway, live_gateway
from tests.registry.auth.people import enrol

REPOSITORY = "team/app"


@pytest.fixture(name="live", scope="module")
def _live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveGateway]:
    """A server with an image that is cleared and one that is refused, each with something that refers to it."""
    folder = tmp_path_factory.mktemp("live")
    with live_gateway(folder / "data") as live:
        layout = lab_images(folder / "layout")
        words = ("import", str(layout.folder), f"{live.host}/{REPOSITORY}", "--all")
        assert run(*words, **signed_in(live, "admin")).exit_code == 0
        yield live


@pytest.fixture(name="folder", scope="module")
def _folder(live: LiveGateway, tmp_path_factory: pytest.TempPathFactory) -> str:
    """A data folder with the same, whose owner is called admin."""
    data = tmp_path_factory.mktemp("folder")
    empty_registry(data)
    enrol(data, draft("admin", Role.OWNER), draft("elsewhere", Role.ACR_PULL, ["else/*"]))
    run("export", f"{live.host}/{REPOSITORY}", str(data / "all.tar"), **signed_in(live, "admin"))
    assert run("import", str(data / "all.tar"), REPOSITORY, "--all", "--data", str(data)).exit_code == 0
    return str(data)


def test_a_server_gives_what_the_caller_may_pull(live: LiveGateway, tmp_path: Path) -> None:
    """What is withheld is named, with its reason, and the exit code says that something is missing."""
    place = f"{live.host}/{REPOSITORY}"
    result = run("export", place, str(tmp_path / "out"), "--json", **signed_in(live, "reader"))
    [withheld] = events(result, "withheld")
    assert (result.exit_code, withheld["image"], "is not cleared" in withheld["message"]) == (1, "team/app:bad", True)
    assert [image["tag"] for image in events(result, "exported")[0]["images"]] == ["good"]


def test_an_image_that_is_withheld_is_refused(live: LiveGateway, tmp_path: Path) -> None:
    """In the gate's own words; nothing is written."""
    place = f"{live.host}/{REPOSITORY}:bad"
    result = run("export", place, str(tmp_path / "out"), **signed_in(live, "reader"))
    assert (result.exit_code, "is not cleared by policy" in result.stderr) == (2, True)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_gives_what_anybody_may_pull(folder: str, tmp_path: Path) -> None:
    """Who may not push: the gate decides at this door too."""
    result = run("export", REPOSITORY, str(tmp_path / "out"), "--data", folder, "--json")
    assert (result.exit_code, [item["image"] for item in events(result, "withheld")]) == (1, ["team/app:bad"])


def test_a_folder_gives_a_named_principal_what_it_may_pull(folder: str, tmp_path: Path) -> None:
    """An owner everything."""
    result = run("export", REPOSITORY, str(tmp_path / "out"), "--data", folder, "--as", "admin", "--json")
    assert [image["tag"] for image in events(result, "exported")[0]["images"]] == ["bad", "good"]


@pytest.mark.parametrize(("whom", "told"), [("nobody", "no enabled principal"), ("elsewhere", "may not pull from")])
def test_who_may_not_pull_exports_nothing(folder: str, tmp_path: Path, whom: str, told: str) -> None:
    """Nor who is not there."""
    result = run("export", REPOSITORY, str(tmp_path / "out"), "--data", folder, "--as", whom)
    assert (result.exit_code, told in result.stderr, list(tmp_path.iterdir())) == (2, True, [])


def test_server_and_folder_give_the_same_bytes(live: LiveGateway, tmp_path: Path) -> None:
    """One registry, two ways to read it, signed verdicts and all."""
    run("export", f"{live.host}/{REPOSITORY}", str(tmp_path / "a.tar"), **signed_in(live, "admin"))
    run("export", REPOSITORY, str(tmp_path / "b.tar"), "--data", str(live.registry.data), "--as", "admin")
    assert (tmp_path / "a.tar").read_bytes() == (tmp_path / "b.tar").read_bytes()


def test_standard_output_gets_the_same_tar(folder: str, tmp_path: Path) -> None:
    """What is told goes to standard error then."""
    run("export", f"{REPOSITORY}:good", str(tmp_path / "it.tar"), "--data", folder)
    done = piped(b"", "export", f"{REPOSITORY}:good", "-", "--data", folder)
    assert done.stdout == (tmp_path / "it.tar").read_bytes()
    assert done.stderr.startswith(b"team/app:good is in -: 1 images")


def test_another_server_is_equal_afterwards(live: LiveGateway, tmp_path: Path) -> None:
    """Catalog, tags, digests and referrers, the signed verdicts among them; it publishes none of its own here."""
    run("export", f"{live.host}/{REPOSITORY}", str(tmp_path / "all"), **signed_in(live, "admin"))
    with live_gateway(tmp_path / "data", attest={"referrer": "off", "tag": "off"}) as other:
        words = ("import", str(tmp_path / "all"), f"{other.host}/{REPOSITORY}", "--all")
        assert run(*words, **signed_in(other, "admin")).exit_code == 0
        with live.client("admin") as before, other.client("admin") as after:
            expected = dump(before)
            assert expected == dump(after)
    assert [len(found["manifests"]) for found in expected[REPOSITORY]["referrers"].values()] == [1, 1]


def test_two_copies_are_one_more(live: LiveGateway, tmp_path: Path) -> None:
    """`basegate copy` within one registry sends no blob: they are mounted."""
    place = f"{live.host}/{REPOSITORY}"
    (tmp_path / "config.json").write_text("{}")
    login = ("login", live.host, "--username", "admin", "--password", live.secrets["admin"])
    run(*login, DOCKER_CONFIG=str(tmp_path))
    result = run("copy", f"{place}:good", f"{live.host}/team/copied", "--json", DOCKER_CONFIG=str(tmp_path))
    assert {event["stage"] for event in events(result, "blob")} == {"there"}, result.stderr
    assert [image["image"] for image in events(result, "image")] == [f"{live.host}/team/copied:good"]


def test_a_copy_between_registries(live: LiveGateway, tmp_path: Path) -> None:
    """All tags, each registry with the credentials that are kept for it."""
    with live_gateway(tmp_path / "data") as other:
        for each in (live, other):
            words = ("login", each.host, "--username", "admin", "--password", each.secrets["admin"])
            run(*words, DOCKER_CONFIG=str(tmp_path))
        names = (f"{live.host}/{REPOSITORY}", f"{other.host}/{REPOSITORY}")
        result = run("copy", *names, "--all", "--json", DOCKER_CONFIG=str(tmp_path))
        assert [image["verdict"] for image in events(result, "image")] == ["refused", "cleared"], result.stderr


def test_a_copy_out_of_a_folder_asks_the_gate(live: LiveGateway, folder: str) -> None:
    """What is withheld does not leave this way either, unless somebody is named who may see it."""
    words = ("copy", f"{REPOSITORY}:bad", f"{live.host}/team/out", "--data", folder)
    refused = run(*words, **signed_in(live, "admin"))
    assert (refused.exit_code, "is not cleared by policy" in refused.stderr) == (2, True)
    assert run(*words, "--as", "admin", **signed_in(live, "admin")).exit_code == 0

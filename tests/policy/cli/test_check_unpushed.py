"""`basegate check` of what is not pushed yet: archives, layouts, standard input; judged as the gateway does later."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from policy.testing.registry import TemporaryRegistry
from tests.clients.layouts import Layout
from tests.clients.trees import cleared_image, refused_image
from tests.policy.cli.transfers import lab_images, piped, run, signed_in_as
from tests.registry.transfer.archives import LAYER, MadeLayout, compressed, docker_members, sha256, tar


@pytest.fixture(name="images", scope="module")
def _images(tmp_path_factory: pytest.TempPathFactory) -> Layout:
    return lab_images(tmp_path_factory.mktemp("images") / "layout")


@pytest.fixture(name="own", autouse=True)
def _own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder for temporary files that shows what is left, and no settings of somebody else."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(folder))
    monkeypatch.setenv("BASEGATE_DATA", str(tmp_path / "none"))
    return folder


@pytest.mark.parametrize(("image", "code", "begins"), [("good", 0, "allowed: "), ("bad", 1, "denied: ")])
def test_an_image_of_a_layout(images: Layout, image: str, code: int, begins: str) -> None:
    """The exit code and the first word of a check at a gateway."""
    result = run("check", str(images.folder), "--image", image)
    assert (result.exit_code, result.stdout[: len(begins)]) == (code, begins)


@pytest.mark.parametrize("image", ["good", "bad"])
def test_the_gateway_gives_the_same_answer_later(
    images: Layout, basegate_registry: TemporaryRegistry, image: str
) -> None:
    """The whole document, but for what the image is called."""
    early = json.loads(run("check", str(images.folder), "--image", image, "--json").stdout)
    pushed, login = basegate_registry.name(f"{image}:v1"), signed_in_as(basegate_registry.owner)
    run("import", str(images.folder), pushed, "--image", image, **login)
    late = json.loads(run("check", pushed, "--json", **login).stdout)
    assert early | {"reference": ""} == late | {"reference": ""}


def test_the_answer_names_what_was_typed(images: Layout) -> None:
    """There is no other name yet."""
    answer = json.loads(run("check", str(images.folder), "--image", "good", "--json").stdout)
    assert answer["reference"] == str(images.folder)


@pytest.mark.parametrize("form", ["", "gzip", "zstd"])
def test_an_archive_of_docker_save(images: Layout, tmp_path: Path, form: str) -> None:
    """As it is, and compressed."""
    images.write_docker_archive("bad", tmp_path / "it.tar", "team/app:v1")
    if form:
        (tmp_path / "it.tar").write_bytes(compressed(form, (tmp_path / "it.tar").read_bytes()))
    assert run("check", str(tmp_path / "it.tar")).exit_code == 1


def test_standard_input(images: Layout, tmp_path: Path) -> None:
    """As `docker save … | basegate check -`."""
    images.write_docker_archive("good", tmp_path / "it.tar", "team/app:v1")
    done = piped((tmp_path / "it.tar").read_bytes(), "check", "-")
    assert (done.returncode, done.stdout.splitlines()[0][:10]) == (0, b"allowed: -")


def test_an_index_is_judged_by_its_platforms(tmp_path: Path) -> None:
    """All of them, or the one that is named."""
    layout = Layout(tmp_path / "layout")
    layout.add_index("multi", [cleared_image(), refused_image()])
    whole = run("check", str(layout.folder))
    one = run("check", str(layout.folder), "--platform", "linux/amd64")
    assert (whole.exit_code, one.exit_code) == (1, 0)


def test_one_of_several_has_to_be_named(images: Layout) -> None:
    """The message lists them."""
    result = run("check", str(images.folder))
    assert (result.exit_code, "name one with --image" in result.stderr) == (2, True)


_WRONG: dict[str, tuple[Callable[[], bytes], str]] = {
    "text": (lambda: b"no archive\n" * 99, "it is damaged, or no tar"),
    "nothing": (lambda: b"", "the archive is empty"),
    "another tar": (lambda: tar(("file", b"x")), "has neither oci-layout and index.json"),
    "cut off": (lambda: tar(*docker_members({"0/layer.tar": LAYER}))[:2048], "ends within"),
    "leads out": (lambda: tar(("../out", b"x")), "leads out of the archive"),
    "twice": (lambda: tar(("it", b"x"), ("it", b"y")), "twice"),
    "other bytes": (lambda: _other_bytes(), "the source is damaged"),  # noqa: PLW0108 - it stands below
}


@pytest.mark.parametrize("name", _WRONG)
def test_what_is_no_image_cannot_be_told(tmp_path: Path, own: Path, name: str) -> None:
    """One line says what is wrong with it, the exit code is 2, and nothing of it is left."""
    made, message = _WRONG[name]
    (tmp_path / "wrong").write_bytes(made())
    result = run("check", str(tmp_path / "wrong"))
    assert (result.exit_code, result.stdout, message in result.stderr) == (2, "", True), result.output
    assert list(own.iterdir()) == []


def test_a_bomb_ends_at_the_limit(tmp_path: Path) -> None:
    """A compressed archive is not inflated without end."""
    (tmp_path / "bomb").write_bytes(compressed("gzip", bytes(3 << 20)))
    result = run("check", str(tmp_path / "bomb"), BASEGATE_TRANSFER__ARCHIVE_BYTES=str(2 << 20))
    assert (result.exit_code, "(transfer.archive_bytes)" in result.stderr) == (2, True)


def test_an_archive_that_is_not_there(tmp_path: Path) -> None:
    """It is not taken for an image of a registry."""
    result = run("check", str(tmp_path / "base.tar"))
    assert (result.exit_code, "base.tar cannot be read: No such file" in result.stderr) == (2, True)


def test_nothing_is_left(images: Layout, own: Path) -> None:
    """The folder in which it was judged ends with the check."""
    assert run("check", str(images.folder), "--image", "good").exit_code == 0
    assert list(own.iterdir()) == []


def test_a_policy_that_refuses_pushes_gives_its_verdict(images: Layout) -> None:
    """Where a push would be refused, the check is denied with the same reasons, and not "could not tell"."""
    result = run("check", str(images.folder), "--image", "bad", BASEGATE_POLICY__MODE="reject")
    assert (result.exit_code, "found: Python 3.7.1" in result.stdout) == (1, True)


def test_a_policy_that_only_warns_allows(images: Layout) -> None:
    """By the mode of the settings, as at the gateway."""
    result = run("check", str(images.folder), "--image", "bad", BASEGATE_POLICY__MODE="warn")
    assert (result.exit_code, "although policy azureml-2019-07 refuses it" in result.stdout) == (0, True)


def _bound(folder: Path) -> dict[str, str]:
    """Settings with a policy of its own for `strict/*`."""
    bindings: list[dict[str, Any]] = [{"repositories": "strict/*", "policy": "azureml-2020-11"}]
    (folder / "settings.yaml").write_text(json.dumps({"policy": {"bindings": bindings}}))
    return {"BASEGATE_CONFIG": str(folder / "settings.yaml")}


def test_the_name_of_the_image_decides_on_the_policy(images: Layout, tmp_path: Path) -> None:
    """As docker will push it: the host does not count."""
    images.write_docker_archive("good", tmp_path / "it.tar", "registry.example:5000/strict/app:v1")
    result = run("check", str(tmp_path / "it.tar"), **_bound(tmp_path))
    assert "by policy azureml-2020-11" in result.stdout


def test_the_repository_it_will_be_pushed_to_decides(images: Layout, tmp_path: Path) -> None:
    """Whatever it is called now."""
    named = ("--image", "good", "--repository", "127.0.0.1:5000/strict/app")
    result = run("check", str(images.folder), *named, **_bound(tmp_path))
    assert "by policy azureml-2020-11" in result.stdout


def test_a_policy_by_name(images: Layout) -> None:
    """Whatever the settings say."""
    result = run("check", str(images.folder), "--image", "good", "--policy", "azureml-2020-11")
    assert "by policy azureml-2020-11" in result.stdout


def test_flags_of_archives_are_for_archives() -> None:
    """For an image of a registry they would say nothing."""
    result = run("check", "127.0.0.1:5000/team/app:v1", "--policy", "azureml-2020-11")
    assert (result.exit_code, "are for archives" in result.stderr) == (2, True)


def _other_bytes() -> bytes:
    """A layout one of whose layers does not have the bytes of its digest."""
    layout = MadeLayout()
    layout.listed(layout.manifest(), "v1")
    layout.files[f"blobs/sha256/{sha256(LAYER)[7:]}"] = LAYER[::-1].ljust(len(LAYER))
    return layout.tar()

"""Members that azureml-core passes over for their spelling, and that other readers take, are never passed over here."""

from typing import Any

import pytest

from policy.gateway.inference_config.interpret import interpret, or_default
from policy.gateway.inference_config.pinning import pin
from policy.gateway.inference_config.remarks import Weight

IMAGE, OTHER = "h:1/team/app:v1", "h:1/team/other:v1"


def environment(docker: dict[str, Any], **others: Any) -> dict[str, Any]:
    """A configuration in the environment form."""
    return {"entryScript": "score.py", "environment": {"name": "e", "docker": docker, **others}}


def plain(**members: Any) -> dict[str, Any]:
    """A configuration in the plain form."""
    return {"entryScript": "score.py", "runtime": "python", **members}


def messages(document: dict[str, Any], weight: Weight) -> list[str]:
    """What is said with a weight."""
    return [remark.message for remark in interpret(document).remarks if remark.weight is weight]


@pytest.mark.parametrize(
    ("document", "place"),
    [
        (environment({"BaseImage": OTHER}), "environment.docker.BaseImage"),
        (environment({"base_image": OTHER}), "environment.docker.base_image"),
        (plain(environment={"name": "e", "Docker": {"baseImage": OTHER}}), "environment.Docker.baseImage"),
        (plain(Environment={"docker": {"baseImage": OTHER}}), "Environment.docker.baseImage"),
        (plain(base_image=OTHER), "base_image"),
        ({"docker": {"image": OTHER}}, "docker.image"),
    ],
)
def test_an_image_that_is_named_there_only(document: dict[str, Any], place: str) -> None:
    """It is told, and the service's default is not judged in its place."""
    found = or_default(interpret(document), IMAGE)
    assert found.image == ""
    assert any(f"{place} names {OTHER}" in text for text in messages(document, Weight.ERROR))


@pytest.mark.parametrize(
    ("document", "place"),
    [
        (environment({"BaseDockerfile": "FROM x"}), "environment.docker.BaseDockerfile"),
        (environment({"build_context": {"locationType": "git"}}), "environment.docker.build_context"),
        ({"docker": {"build": {"context": "."}}}, "docker.build"),
        (plain(baseDockerfile="FROM x"), "baseDockerfile"),
    ],
)
def test_a_build_that_is_named_there_only(document: dict[str, Any], place: str) -> None:
    """Likewise."""
    found = or_default(interpret(document), IMAGE)
    assert found.image == ""
    assert any(f"{place} builds one later" in text for text in messages(document, Weight.ERROR))


@pytest.mark.parametrize(
    ("document", "place"),
    [
        (environment({"baseImage": IMAGE, "BaseImage": OTHER}), "environment.docker.BaseImage"),
        (environment({"baseImage": IMAGE, "base-image": OTHER}), "environment.docker.base-image"),
        (environment({"baseImage": IMAGE}, Image=OTHER), "environment.Image"),
        (plain(baseImage=IMAGE, base_image=OTHER), "base_image"),
        ({"image": IMAGE, "Image": OTHER}, "Image"),
        (environment({"baseImage": IMAGE, "BaseDockerfile": "FROM x"}), "environment.docker.BaseDockerfile"),
        (plain(baseImage=IMAGE, buildContext={"location": "x"}), "buildContext"),
    ],
)
def test_beside_the_image_that_is_read(document: dict[str, Any], place: str) -> None:
    """The file contradicts itself, since readers without regard to case take the other."""
    assert any(place in text for text in messages(document, Weight.FAIL))


@pytest.mark.parametrize(
    ("document", "told"),
    [
        (environment({"baseImage": IMAGE, "base_image": IMAGE}), "docker.base_image is ignored"),
        (environment({"baseImage": IMAGE, "Platform": {"architecture": "arm64"}}), "docker.Platform is ignored"),
        (environment({"baseImage": IMAGE, "platform": {"Architecture": "arm64"}}), "platform.Architecture is ignored"),
        (environment({"baseImage": IMAGE}, Python={}), "environment.Python is ignored"),
        (plain(baseImage=IMAGE, base_image=IMAGE), "base_image is ignored"),
        ({"docker": {"baseImage": IMAGE, "BaseImageRegistry": {}}}, "docker.BaseImageRegistry is ignored"),
    ],
)
def test_what_is_ignored_is_told(document: dict[str, Any], told: str) -> None:
    """With a warning, where the image stays the same."""
    assert interpret(document).image == IMAGE
    assert any(told in text for text in messages(document, Weight.WARN))


MOVED: list[tuple[dict[str, Any], str]] = [
    (environment({"baseImage": IMAGE}, EnvironmentVariables={"PATH": "/x"}), "environment.EnvironmentVariables"),
    (environment({"baseImage": IMAGE, "arguments": ["-e", "PATH=/x"]}), "environment.docker.arguments"),
    (environment({"baseImage": IMAGE, "arguments": ["--env=PATH=/x"]}), "environment.docker.arguments"),
    (
        environment({"baseImage": IMAGE}, python={"userManagedDependencies": True, "interpreterPath": "/x/python"}),
        "environment.python.interpreterPath",
    ),
    (
        environment({"baseImage": IMAGE}, python={"baseCondaEnvironment": "x"}),
        "environment.python.baseCondaEnvironment",
    ),
    (environment({}, environmentVariables={"PATH": "/x"}), "environment.environmentVariables"),
]


@pytest.mark.parametrize(("document", "place"), MOVED)
def test_what_starts_another_python_than_was_judged(document: dict[str, Any], place: str) -> None:
    """It cannot be told then, also of the service's default image."""
    found = or_default(interpret(document), IMAGE)
    assert any(remark.weight is Weight.ERROR and remark.message.startswith(place) for remark in found.remarks)


@pytest.mark.parametrize(
    "others",
    [
        {"python": {"userManagedDependencies": True, "interpreterPath": "python"}},
        {"python": {"userManagedDependencies": False, "interpreterPath": "/x/python", "baseCondaEnvironment": None}},
    ],
)
def test_what_starts_the_python_that_was_judged(others: dict[str, Any]) -> None:
    """The usual name, and a path that azureml-core heeds for dependencies of the user's own only."""
    assert interpret(environment({"baseImage": IMAGE, "arguments": ["--shm-size", "2g"]}, **others)).remarks == ()


def test_environment_variables_of_version_2_are_spelt_right() -> None:
    """Its members have underscores."""
    document = {"name": "e", "environment_variables": {"LANG": "C"}, "environment": {"image": IMAGE}}
    assert interpret(document).remarks == ()


def test_what_is_told_is_bounded() -> None:
    """However many spellings there are."""
    docker = {"base" + "_" * number + "Image": OTHER for number in range(1, 500)}
    assert len(interpret(environment({"baseImage": IMAGE} | docker)).remarks) < 40


def test_pinned_in_every_spelling() -> None:
    """No reader takes the tag."""
    document = environment({"baseImage": IMAGE, "base_image": IMAGE})
    pinned = pin(document, interpret(document), OTHER)
    assert repr(pinned) == repr(document).replace(IMAGE, OTHER)

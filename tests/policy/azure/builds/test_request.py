"""What a build is asked to be: every member of ACR's request, and what is refused."""

from typing import Any

import pytest

from policy.azure.arm_errors import ArmError
from policy.azure.builds.request import BuildRequest, read_request

WHOLE: dict[str, Any] = {
    "type": "DockerBuildRequest",
    "imageNames": ["myimage:v1"],
    "isPushEnabled": True,
    "sourceLocation": "source/abcdefgh/context.tar.gz",
    "dockerFilePath": "0123_Dockerfile",
    "platform": {"os": "linux", "architecture": "amd64"},
    "arguments": [],
    "credentials": {},
}
HOSTS = ("localhost:5000", "myregistry.azurecr.io")


def read(**more: Any) -> BuildRequest:
    """The request of az with other members."""
    return read_request(WHOLE | more)


def names(*images: str, run: str = "ca1") -> list[str]:
    """The names of the image of a run."""
    return [str(name) for name in read(imageNames=list(images)).names(run, HOSTS)]


def test_everything_is_read() -> None:
    """As az sends it."""
    found = read(target="base", timeout=600, platform={"os": "linux", "architecture": "arm64"}, noCache=True)
    assert (found.images, found.push, found.dockerfile) == (("myimage:v1",), True, "0123_Dockerfile")
    assert (found.target, found.seconds, found.platform, found.cache) == ("base", 600, "linux/arm64", False)


def test_arguments_are_read() -> None:
    """A secret one is told from the others, and shown in no message."""
    items = [{"name": "A", "value": "1", "isSecret": False}, {"name": "S", "value": "hidden", "isSecret": True}]
    found = read(arguments=items).arguments
    assert [(each.name, each.value, each.secret) for each in found] == [("A", "1", False), ("S", "hidden", True)]
    assert "hidden" not in repr(found)


def test_secrets_of_many_lines_are_refused() -> None:
    """Each line is looked for in all that the build prints."""
    items = [
        {"name": name, "value": "\n".join(f"{name * 3}{number}" for number in range(150)), "isSecret": True}
        for name in ("A", "B")
    ]
    assert len(read(arguments=items[:1]).arguments) == 1
    with pytest.raises(ArmError, match="300 lines: needs 200 at most"):
        read(arguments=items)


def test_names_are_completed() -> None:
    """The run's id is filled in, `latest` is meant without a tag, and the registry's own name may stand in front."""
    assert names("a:{{.Run.ID}}", "b", "localhost:5000/c:v1", "myregistry.azurecr.io/d") == [
        "a:ca1",
        "b:latest",
        "c:v1",
        "d:latest",
    ]


def test_without_a_name_nothing_is_pushed() -> None:
    """Whatever it says of pushing."""
    assert not read(imageNames=[], isPushEnabled=True).push


@pytest.mark.parametrize(
    "image", ["other.example/a:v1", "UPPER:v1", "a@sha256:" + "0" * 64, "", "a:v 1", "../a", "http://a/b"]
)
def test_a_name_that_cannot_be_pushed_here_is_refused(image: str) -> None:
    """Another registry's, one that is none, one that says what the digest will be."""
    with pytest.raises(ArmError):
        names(image)


@pytest.mark.parametrize(
    "more",
    [
        {"type": "EncodedTaskRunRequest"},
        {"type": None},
        {"sourceLocation": "https://example.com/x.git#main"},
        {"sourceLocation": "git@example.com:x.git"},
        {"sourceLocation": ""},
        {"dockerFilePath": "/etc/passwd"},
        {"dockerFilePath": "../Dockerfile"},
        {"dockerFilePath": "a/../../b"},
        {"dockerFilePath": "--file"},
        {"dockerFilePath": "a\nb"},
        {"platform": {"os": "windows"}},
        {"platform": {"os": "linux", "architecture": "a b"}},
        {"platform": "linux"},
        {"target": "-x"},
        {"target": "a b"},
        {"timeout": -1},
        {"timeout": True},
        {"timeout": "600"},
        {"imageNames": "x"},
        {"imageNames": [1]},
        {"imageNames": ["a:b"] * 51},
        {"arguments": [1]},
        {"arguments": [{"name": "A=B", "value": ""}]},
        {"arguments": [{"name": "--network", "value": "host"}]},
        {"arguments": [{"name": "A", "value": "\0"}]},
        {"arguments": [{"name": "LD_PRELOAD", "value": "x", "isSecret": True}]},
        {"arguments": [{"name": "PATH", "value": "x", "isSecret": True}]},
        {"arguments": [{"name": "HTTPS_PROXY", "value": "x", "isSecret": True}]},
        {"credentials": {"customRegistries": {"x": {}}}},
        {"isPushEnabled": "yes"},
    ],
)
def test_what_cannot_be_built_is_refused(more: dict[str, Any]) -> None:
    """With 400, before anything is made."""
    with pytest.raises(ArmError) as refused:
        read(**more)
    assert refused.value.status == 400

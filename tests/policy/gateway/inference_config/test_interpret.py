"""Inference configurations: every form, every clash, and the source document's own file."""

from typing import Any

import pytest

from policy.gateway.inference_config.interpret import Form, interpret, or_default
from policy.gateway.inference_config.parse import parse
from policy.gateway.inference_config.remarks import Weight

IMAGE = "myregistry.azurecr.io/myimage:v1"
LOGIN = {"address": "myregistry.azurecr.io", "username": "sp-app-id", "password": "hunter2"}

DOCUMENT_EXAMPLE = """{
   "entryScript": "score.py",
   "runtime": "python",
   "condaFile": "infenv.yml",
   "extraDockerfileSteps": null,
   "sourceDirectory": null,
   "enableGpu": false,
   "baseImage": "mcr.microsoft.com/azureml/o16n-sample-user-base/ubuntu-miniconda",
   "baseImageRegistry": "mcr.microsoft.com"
}"""


def plain(**changes: Any) -> dict[str, Any]:
    """A sound plain configuration with changes."""
    return {"entryScript": "score.py", "runtime": "python", "baseImage": IMAGE} | changes


def environment(**docker: Any) -> dict[str, Any]:
    """A sound configuration in the environment form, `docker` being its docker section."""
    return {"entryScript": "score.py", "environment": {"name": "e", "docker": docker}}


def remarks(document: dict[str, Any], weight: Weight) -> list[str]:
    """The messages of one weight."""
    return [remark.message for remark in interpret(document).remarks if remark.weight is weight]


def test_the_documents_own_file() -> None:
    """The published example is read: image, address, and the two traps in it."""
    found = interpret(parse(DOCUMENT_EXAMPLE))
    assert found.form is Form.PLAIN
    assert found.image == "mcr.microsoft.com/azureml/o16n-sample-user-base/ubuntu-miniconda"
    assert found.login is not None
    assert found.login.address == "mcr.microsoft.com"
    assert [remark.weight for remark in found.remarks] == [Weight.WARN, Weight.WARN]
    assert "'address'" in found.remarks[0].message
    assert "latest" in found.remarks[1].message


def test_sound_plain_form() -> None:
    """Nothing to remark on a complete configuration with a tagged image."""
    assert interpret(plain()).remarks == ()


def test_sound_environment_form() -> None:
    """Image and credentials of the environment form are read without a remark."""
    found = interpret(environment(baseImage=IMAGE, baseImageRegistry=LOGIN))
    assert (found.form, found.image, found.remarks) == (Form.ENVIRONMENT, IMAGE, ())
    assert found.login is not None
    assert (found.login.username, found.login.password) == ("sp-app-id", "hunter2")


@pytest.mark.parametrize("given", [("address",), ("address", "username"), ("username", "password"), ("password",)])
def test_partial_credentials_are_refused(given: tuple[str, ...]) -> None:
    """A plain registry object needs all three parts, as the SDK demands."""
    partial = {part: LOGIN[part] for part in given}
    assert any(
        "needs address, username and password" in text
        for text in remarks(plain(baseImageRegistry=partial), Weight.FAIL)
    )


@pytest.mark.parametrize("given", [("address", "username"), ("username", "password"), ("password",)])
def test_partial_credentials_in_the_environment(given: tuple[str, ...]) -> None:
    """There too credentials come in pairs and with an address."""
    partial = {part: LOGIN[part] for part in given}
    assert remarks(environment(baseImage=IMAGE, baseImageRegistry=partial), Weight.FAIL)


def test_an_address_alone_is_enough_in_the_environment() -> None:
    """A public registry needs no credentials."""
    found = interpret(environment(baseImage=IMAGE, baseImageRegistry={"address": "myregistry.azurecr.io"}))
    assert found.remarks == ()


def test_an_empty_registry_object_is_none() -> None:
    """azureml-core writes an object of nulls when nothing was set."""
    found = interpret(environment(baseImage=IMAGE, baseImageRegistry=dict.fromkeys(LOGIN)))
    assert (found.login, found.remarks) == (None, ())


def test_text_in_the_environment_is_warned_of() -> None:
    """The SDK drops a text there silently, so a person must be told."""
    found = remarks(environment(baseImage=IMAGE, baseImageRegistry="myregistry.azurecr.io"), Weight.WARN)
    assert any("drops it without a word" in text for text in found)


def test_the_password_is_never_echoed() -> None:
    """Neither remarks nor any text form of a configuration hold the password."""
    found = interpret(plain(baseImageRegistry=LOGIN | {"address": "other.azurecr.io"}))
    assert found.remarks
    assert "hunter2" not in repr(found)


def test_another_registry_than_the_images() -> None:
    """A login for one registry and an image from another do not fit."""
    found = remarks(environment(baseImage=IMAGE, baseImageRegistry=LOGIN | {"address": "b.azurecr.io"}), Weight.WARN)
    assert any("image comes from myregistry.azurecr.io" in text for text in found)


def test_a_url_as_address_is_the_same_registry() -> None:
    """Scheme, case and closing slash of an address do not matter."""
    login = LOGIN | {"address": "https://MyRegistry.azurecr.io/"}
    assert interpret(environment(baseImage=IMAGE, baseImageRegistry=login)).remarks == ()


def test_the_documents_misspelling() -> None:
    """`azureecr.io` stands in the source document and is no registry."""
    found = remarks(plain(baseImage="myregistry.azureecr.io/myimage:v1"), Weight.WARN)
    assert any("did you mean myregistry.azurecr.io/myimage:v1?" in text for text in found)


@pytest.mark.parametrize("runtime", ["spark-py", "python-slim", 3])
def test_a_base_image_needs_python(runtime: object) -> None:
    """Custom base images are supported for the python run time only."""
    assert any("python only" in text for text in remarks(plain(runtime=runtime), Weight.FAIL))


def test_the_run_time_is_read_without_case() -> None:
    """`Python` is `python`."""
    assert interpret(plain(runtime="Python")).remarks == ()


def test_a_missing_run_time_is_warned_of() -> None:
    """Without environment the service wants a run time."""
    assert any("runtime" in text for text in remarks(plain(runtime=None), Weight.WARN))


@pytest.mark.parametrize("key", ["extraDockerFileSteps", "baseimage", "BaseImageRegistry"])
def test_keys_in_another_case(key: str) -> None:
    """A key that the service ignores for its case is pointed out."""
    assert any(text.startswith(f"{key} is ignored") for text in remarks(plain(**{key: "x"}), Weight.WARN))


def test_unknown_keys_are_ignored() -> None:
    """The service ignores what it does not know, and so does the gate."""
    assert interpret(plain(description="d", somethingElse=[1])).remarks == ()


@pytest.mark.parametrize(
    "document", [plain(baseImage=None), plain(baseImage=""), environment(), {"environment": {}}, {}]
)
def test_no_image(document: dict[str, Any]) -> None:
    """Without an image the service takes its own: that cannot be judged here."""
    assert interpret(document).image == ""
    assert remarks(document, Weight.ERROR)


@pytest.mark.parametrize("value", [7, ["a"], {"a": 1}, True, "not an image", "http://host/x:1"])
def test_an_image_that_is_none(value: object) -> None:
    """A base image that cannot be a reference is a definite fault."""
    assert interpret(plain(baseImage=value)).image == ""
    assert any(text.startswith("baseImage") for text in remarks(plain(baseImage=value), Weight.FAIL))


@pytest.mark.parametrize("value", [7, ["a"], {"address": 1, "username": "u", "password": "p"}])
def test_a_registry_that_is_none(value: object) -> None:
    """A registry of another type is a definite fault, in both forms."""
    assert remarks(plain(baseImageRegistry=value), Weight.FAIL)
    assert remarks(environment(baseImage=IMAGE, baseImageRegistry=value), Weight.FAIL)


@pytest.mark.parametrize("key", ["baseImage", "runtime", "condaFile", "enableGpu", "cudaVersion"])
def test_environment_excludes_the_plain_members(key: str) -> None:
    """The service refuses an environment beside the members that it replaces."""
    document = environment(baseImage=IMAGE) | {key: "x"}
    assert any(f"beside {key}" in text for text in remarks(document, Weight.FAIL))


def test_unset_plain_members_may_stand_beside_an_environment() -> None:
    """null and false are not set."""
    document = environment(baseImage=IMAGE) | {"runtime": None, "enableGpu": False}
    assert interpret(document).remarks == ()


@pytest.mark.parametrize("built", [{"baseDockerfile": "FROM x"}, {"buildContext": {"locationType": "git"}}])
def test_image_and_dockerfile_exclude_each_other(built: dict[str, Any]) -> None:
    """baseImage, baseDockerfile and buildContext are alternatives; a built image cannot be known yet."""
    assert remarks(environment(baseImage=IMAGE, **built), Weight.FAIL)
    assert any("built later" in text for text in remarks(environment(**built), Weight.ERROR))


def test_a_registered_environment_cannot_be_known() -> None:
    """An environment that is only named is not written out here."""
    assert remarks({"environment": "azureml:my-env:3"}, Weight.ERROR)


@pytest.mark.parametrize(
    "document", [{"name": "e", "image": IMAGE}, {"environment": {"image": IMAGE, "conda_file": "c.yml"}}]
)
def test_version_2(document: dict[str, Any]) -> None:
    """`image:` of a version 2 environment is read, on its own and inside a deployment."""
    found = interpret(document)
    assert (found.form, found.image, found.remarks) == (Form.VERSION_2, IMAGE, ())


@pytest.mark.parametrize(
    "document", [environment(baseImage=IMAGE) | {"build": {"path": "."}}, plain(build={"path": "."})]
)
def test_an_image_beside_a_build_of_another_form_fails(document: dict[str, Any]) -> None:
    """A reader of version 2 builds another image than the one that is judged."""
    assert "build" in remarks(document, Weight.FAIL)[0]


def test_an_image_beside_a_build_in_the_environment_fails() -> None:
    """Likewise."""
    document = environment(baseImage=IMAGE)
    document["environment"]["build"] = {"path": "."}
    (told,) = remarks(document, Weight.FAIL)
    assert told.startswith("environment.build stands beside environment.docker.baseImage: ")


@pytest.mark.parametrize("name", ["environmentVariables", "environment_variables"])
def test_a_path_of_the_environment_is_not_the_image_s(name: str) -> None:
    """It decides which Python starts, and was not judged; other variables do not matter."""
    document = environment(baseImage=IMAGE)
    document["environment"][name] = {"PATH": "/opt/other/bin", "LANG": "C"}
    assert f"environment.{name} sets PATH" in remarks(document, Weight.ERROR)[0]
    document["environment"][name] = {"LANG": "C"}
    assert not remarks(document, Weight.ERROR)


def test_version_2_build() -> None:
    """`build:` excludes `image:`, and alone it cannot be judged."""
    assert remarks({"image": IMAGE, "build": {"path": "."}}, Weight.FAIL)
    assert remarks({"build": {"path": "."}}, Weight.ERROR)


OTHER_IMAGE = "myregistry.azurecr.io/other:v1"
TWO_PLACES: list[tuple[dict[str, Any], str, str]] = [
    (environment(baseImage=IMAGE), "environment.docker.baseImage", "environment.image"),
    (plain(), "baseImage", "image"),
    (plain(), "baseImage", "docker.baseImage"),
    ({"image": IMAGE}, "image", "environment.docker.baseImage"),
    ({"docker": {"baseImage": IMAGE}}, "docker.baseImage", "image"),
    (environment(baseImage=IMAGE), "environment.docker.baseImage", "environment.docker.image"),
]


def with_second(document: dict[str, Any], place: str, image: str) -> dict[str, Any]:
    """The document with an image in one more place."""
    first, _, rest = place.partition(".")
    below = document.get(first, {}) if rest else None
    return document | {first: image if below is None else with_second(below, rest, image)}


@pytest.mark.parametrize(("document", "first", "second"), TWO_PLACES)
def test_two_images_that_differ_are_refused(document: dict[str, Any], first: str, second: str) -> None:
    """Readers of the other form would start the other one; both places are named."""
    failures = remarks(with_second(document, second, OTHER_IMAGE), Weight.FAIL)
    assert any(all(word in text for word in (first, second, IMAGE, OTHER_IMAGE)) for text in failures)


@pytest.mark.parametrize(("document", "first", "second"), TWO_PLACES)
def test_the_same_image_twice_is_no_contradiction(document: dict[str, Any], first: str, second: str) -> None:
    """Whichever is read, it is that one."""
    failures = remarks(with_second(document, second, f" {IMAGE}"), Weight.FAIL)
    assert not any("names" in text for text in failures), first


@pytest.mark.parametrize("script", [None, "", "score", "score.txt", 7, ["score.py"]])
@pytest.mark.parametrize("form", [plain(), environment(baseImage=IMAGE)])
def test_an_entry_script_that_the_service_refuses(form: dict[str, Any], script: object) -> None:
    """Missing, or not the name of a .py file."""
    assert any("entryScript" in text for text in remarks(form | {"entryScript": script}, Weight.FAIL))


@pytest.mark.parametrize(("version", "refused"), [("9.0", False), (10.0, False), ("11.2", True), (["9.0"], True)])
def test_cuda_versions(version: object, refused: bool) -> None:
    """The service knows three."""
    assert bool(remarks(plain(cudaVersion=version), Weight.FAIL)) is refused


@pytest.mark.parametrize(
    ("document", "word"),
    [
        ({"computeType": "aks", "numReplicas": 1}, "--dc"),
        ({"name": "e", "channels": ["defaults"], "dependencies": ["python=3.6"]}, "conda file"),
        ({"$schema": "https://schema.management.azure.com/schemas/2015-01-01/deploymentTemplate.json#"}, "template"),
        ({"apiVersion": "v1", "kind": "Pod", "spec": {"containers": [{"image": IMAGE}]}}, "Kubernetes"),
        ({"services": {"web": {"image": IMAGE}}}, "Compose"),
        ({"jobs": {"deploy": {"container": {"image": IMAGE}}}}, "workflow"),
    ],
)
def test_other_kinds_of_files_are_named(document: dict[str, Any], word: str) -> None:
    """One sentence, and nothing about an entry script that such a file never has."""
    found = interpret(document).remarks
    assert [remark.weight for remark in found] == [Weight.ERROR]
    assert word in found[0].message


@pytest.mark.parametrize(
    ("document", "place"),
    [
        ({"deployments": [{"environment": {"docker": {"image": IMAGE}}}]}, "deployments[0].environment.docker.image"),
        ({"properties": {"image": IMAGE}}, "properties.image"),
    ],
)
def test_an_image_that_stands_elsewhere(document: dict[str, Any], place: str) -> None:
    """Where it stands is told, and not that none is named."""
    assert any(f"{place} names {IMAGE}" in text for text in remarks(document, Weight.ERROR))
    assert not any(remark.unset for remark in interpret(document).remarks)


@pytest.mark.parametrize("image", ["{{acr}}/app:v1", "${{ vars.ACR }}/app:v1", "$(acr)/app:v1", "<registry>/app:v1"])
def test_an_image_that_was_not_filled_in(image: str) -> None:
    """A template is no configuration yet."""
    assert any("placeholder" in text for text in remarks(plain(baseImage=image), Weight.FAIL))


def test_the_name_of_the_property_is_not_its_value() -> None:
    """What `run.properties` prints is the image."""
    found = remarks(plain(baseImage='run.properties["AzureML.DerivedImageName"]'), Weight.ERROR)
    assert any("azureml/azureml_" in text for text in found)


@pytest.mark.parametrize("document", [plain(baseImage=None), environment(), {"entryScript": "a.py", "environment": {}}])
def test_the_services_own_image(document: dict[str, Any]) -> None:
    """Where it is known it is judged, and said; the configuration's other faults stay."""
    found = or_default(interpret(document), IMAGE)
    assert (found.image, [remark.weight for remark in found.remarks]) == (IMAGE, [Weight.WARN])


@pytest.mark.parametrize("document", [plain(), environment(baseDockerfile="FROM x"), {"computeType": "aks"}])
def test_the_services_own_image_is_for_those_that_name_none(document: dict[str, Any]) -> None:
    """Not for images that are built later, nor for files of another kind."""
    assert or_default(interpret(document), "h:1/other:v1") == interpret(document)

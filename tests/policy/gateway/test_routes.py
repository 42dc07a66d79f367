"""The doors to a deployment over HTTP, on a live server with real images."""

from pathlib import Path
from typing import Any

import pytest

from tests.clients.trees import cleared_image
from tests.policy.live import LiveGateway, live_gateway

ENTRY = {"entryScript": "score.py", "runtime": "python"}


def answer(gateway: LiveGateway, reference: str, who: str = "reader") -> dict[str, Any]:
    """The answer to a check of a reference."""
    response = gateway.check(who, reference=reference)
    assert response.status_code == 200, response.text
    document: dict[str, Any] = response.json()
    return document


def test_a_cleared_image(gateway: LiveGateway) -> None:
    """Allowed, pinned, with the three facts and the policy that cleared it."""
    found = answer(gateway, f"{gateway.host}/team/app:good")
    assert (found["allowed"], found["verdict"], found["digest"][:7]) == (True, "cleared", "sha256:")
    assert found["facts"]["os"] == {"id": "ubuntu", "version": "16.04"}
    assert (found["facts"]["conda"], found["facts"]["python"]) == ({"version": "4.5.12"}, {"version": "3.6.8"})
    assert found["policy"]["name"] == "azureml-2019-07"


def test_a_refused_image(gateway: LiveGateway) -> None:
    """Denied, with a finding that names the file and layer, what is needed, and its evidence."""
    found = answer(gateway, f"{gateway.host}/team/app:bad")
    finding = next(item for item in found["findings"] if item["result"] == "fail")
    assert (found["allowed"], found["verdict"], finding["rule"]) == (False, "refused", "python-version")
    assert "opt/miniconda/conda-meta/python-3.7.1-h0371630_7.json (layer 1)" in finding["message"]
    assert "needs 3.5.x or 3.6.x" in finding["message"]
    assert finding["evidence"][0]["path"].endswith("python-3.7.1-h0371630_7.json")


def test_who_may_push_is_denied_too(gateway: LiveGateway) -> None:
    """The door to a deployment opens for nobody: it is about the image."""
    assert not answer(gateway, f"{gateway.host}/team/app:bad", "admin")["allowed"]


def test_an_index_with_a_refused_image(gateway: LiveGateway) -> None:
    """An index is cleared only when every image in it is."""
    assert answer(gateway, f"{gateway.host}/team/app:both")["verdict"] == "refused"


def test_a_digest_is_the_same_image(gateway: LiveGateway) -> None:
    """The digest of an answer can be checked again."""
    first = answer(gateway, f"{gateway.host}/team/app:good")
    again = answer(gateway, f"{gateway.host}/team/app@{first['digest']}")
    assert (again["digest"], again["findings"]) == (first["digest"], first["findings"])


@pytest.mark.parametrize("name", ["localhost:{port}", "registry.lab.example", "[::1]:{port}"])
def test_names_of_this_registry(gateway: LiveGateway, name: str) -> None:
    """Loopback names with its port and names from the settings mean this registry."""
    host = name.format(port=gateway.host.rpartition(":")[2])
    assert answer(gateway, f"{host}/team/app:good")["allowed"]


def test_a_reference_without_a_registry(gateway: LiveGateway) -> None:
    """It is about the registry that is asked, and the answer says so."""
    found = answer(gateway, "team/app:good")
    assert (found["allowed"], found["reference"]) == (True, f"{gateway.host}/team/app:good")


def test_another_registry(gateway: LiveGateway) -> None:
    """An image on another registry is never allowed; the answer says why."""
    found = answer(gateway, "myregistry.azurecr.io/myimage:v1")
    assert (found["allowed"], found["digest"]) == (False, None)
    assert "another registry (myregistry.azurecr.io)" in found["findings"][0]["message"]


@pytest.mark.parametrize("reference", ["team/app:absent", "team/none:v1"])
def test_an_unknown_image(gateway: LiveGateway, reference: str) -> None:
    """An image that is not here cannot be told."""
    found = answer(gateway, f"{gateway.host}/{reference}")
    assert (found["allowed"], found["digest"], found["findings"][0]["rule"]) == (False, None, "reference")


def test_an_inference_configuration(gateway: LiveGateway) -> None:
    """A configuration is answered as its image is."""
    sent = {**ENTRY, "baseImage": f"{gateway.host}/team/app:good"}
    found = gateway.check("reader", inferenceConfig=sent).json()
    assert (found["allowed"], found["findings"][0]["rule"]) == (True, "os-version")


def test_a_faulty_configuration_of_a_cleared_image(gateway: LiveGateway) -> None:
    """What the service would refuse is denied, with the remark in front."""
    sent = f"runtime: spark-py\nentryScript: s.py\nbaseImage: {gateway.host}/team/app:good\n"
    found = gateway.check("reader", inferenceConfig=sent).json()
    assert (found["allowed"], found["verdict"]) == (False, "cleared")
    assert found["findings"][0]["rule"] == "inference-config"


def test_a_configuration_of_docker_hub(gateway: LiveGateway) -> None:
    """In a configuration an image without a registry is Docker Hub's, even if a repository here has its name."""
    found = gateway.check("reader", inferenceConfig={**ENTRY, "baseImage": "team/app:good"}).json()
    assert (found["allowed"], found["digest"]) == (False, None)


def configured(gateway: LiveGateway, image: str | None) -> dict[str, Any]:
    """The answer to a configuration that names an image."""
    document: dict[str, Any] = gateway.check("reader", inferenceConfig=ENTRY | {"baseImage": image}).json()
    return document


def test_a_public_image_is_judged_by_its_copy(gateway: LiveGateway) -> None:
    """And named as it was; its licence is told of."""
    image = "mcr.microsoft.com/azureml/onnxruntime:v0.4.0-tensorrt19.03"
    found = configured(gateway, image)
    notes = " ".join(item["message"] for item in found["findings"])
    assert (found["allowed"], found["reference"]) == (True, image)
    assert f"its copy {gateway.host}/{image}" in notes
    assert "with Microsoft Azure services only" in notes


def test_a_public_image_without_a_copy(gateway: LiveGateway) -> None:
    """How to bring it in."""
    found = configured(gateway, "mcr.microsoft.com/azureml/onnxruntime:v0.4.0")
    assert (found["allowed"], found["digest"]) == (False, None)
    assert "basegate copy" in found["findings"][0]["message"]


def test_an_image_that_a_training_run_built(gateway: LiveGateway) -> None:
    """It is in the registry of the workspace, which its name does not say."""
    found = configured(gateway, "azureml/azureml_0b7f9e3a")
    assert (found["allowed"], found["reference"]) == (True, f"{gateway.host}/azureml/azureml_0b7f9e3a:latest")


@pytest.mark.parametrize(
    ("tag", "architecture", "allowed"),
    [("good", "amd64", True), ("good", "x86_64", True), ("good", "arm64", False), ("both-ways", "ARM64", True)],
)
def test_the_platform_that_is_asked_for(gateway: LiveGateway, tag: str, architecture: str, allowed: bool) -> None:
    """Is compared with the image's, or with those of an index."""
    platform = {"os": "Linux", "architecture": architecture}
    docker = {"baseImage": f"{gateway.host}/team/app:{tag}", "platform": platform}
    config = {"entryScript": "score.py", "environment": {"name": "e", "docker": docker}}
    found = gateway.check("reader", inferenceConfig=config).json()
    told = any("environment.docker.platform asks for linux/arm64" in item["message"] for item in found["findings"])
    assert (found["allowed"], told) == (allowed, not allowed)


def test_a_configuration_without_an_image(gateway: LiveGateway) -> None:
    """Could not be told, where no setting says what the service takes."""
    assert configured(gateway, None)["verdict"] == "inconclusive"


def test_the_services_default_image(tmp_path: Path) -> None:
    """Where it does, that image is judged, and it is said."""
    settings = {"hosts": "registry.lab.example", "default_image": "registry.lab.example/azureml/base:v1"}
    with live_gateway(tmp_path / "data", gateway=settings) as live:
        live.push(tmp_path / "default", "azureml/base:v1", cleared_image())
        found = configured(live, None)
    assert found["allowed"]
    assert "default registry.lab.example/azureml/base:v1 is judged" in found["findings"][0]["message"]


def test_not_signed_in(gateway: LiveGateway) -> None:
    """Without credentials: 401 with the registry's challenge."""
    with gateway.registry.client() as client:
        response = client.post("/policy/v1/references:check", json={"reference": "team/app:good"})
    assert response.status_code == 401
    assert response.headers["www-authenticate"].startswith('Bearer realm="')


def test_who_may_not_pull(gateway: LiveGateway) -> None:
    """A principal of other repositories learns nothing, not even whether the image exists."""
    for reference in ("team/app:good", "team/app:absent"):
        response = gateway.check("outsider", reference=reference)
        assert (response.status_code, response.json()["errors"][0]["code"]) == (403, "DENIED")


@pytest.mark.parametrize(
    ("body", "status"),
    [({}, 400), ({"reference": "team/App:v1"}, 400), ({"reference": "h/a:b c"}, 400), ({"inferenceConfig": "["}, 400)],
)
def test_bad_requests(gateway: LiveGateway, body: dict[str, Any], status: int) -> None:
    """What cannot be read is refused in the registry's error form."""
    response = gateway.check("reader", **body)
    assert response.status_code == status
    assert response.json()["errors"][0]["message"]


def test_a_body_beyond_the_limit(gateway: LiveGateway) -> None:
    """The limit is a setting: 413."""
    assert gateway.check("reader", reference="a" * 5000).status_code == 413


def test_explain_an_image(gateway: LiveGateway) -> None:
    """The story holds every fact with its evidence, and nothing of the pull is withheld from it."""
    with gateway.client("reader") as client:
        story = client.get("/policy/v1/repositories/team/app/manifests/good/verdict").json()
    paths = [place["path"] for fact in story["image"]["facts"] for place in fact["evidence"]]
    assert "usr/lib/os-release" in paths
    assert (story["allowed"], story["children"]) == (True, [])


def test_explain_an_index(gateway: LiveGateway) -> None:
    """The story of an index tells of each of its images."""
    with gateway.client("reader") as client:
        story = client.get("/policy/v1/repositories/team/app/manifests/both/verdict").json()
    assert [child["verdict"] for child in story["children"]] == ["cleared", "refused"]


def test_explain_needs_the_right_to_pull(gateway: LiveGateway) -> None:
    """A principal of other repositories is refused."""
    with gateway.client("outsider") as client:
        assert client.get("/policy/v1/repositories/team/app/manifests/good/verdict").status_code == 403


def test_explain_what_is_not_there(gateway: LiveGateway) -> None:
    """404 in the registry's error form."""
    with gateway.client("reader") as client:
        response = client.get("/policy/v1/repositories/team/app/manifests/absent/verdict")
    assert (response.status_code, response.json()["errors"][0]["code"]) == (404, "MANIFEST_UNKNOWN")


def test_an_artifact_is_no_image(gateway: LiveGateway) -> None:
    """What is not an image may be stored, and is never referenceable."""
    empty = "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"
    config = {"mediaType": "application/vnd.oci.empty.v1+json", "digest": empty, "size": 2}
    manifest = {"schemaVersion": 2, "artifactType": "application/x.chart", "config": config, "layers": [config]}
    headers = {"Content-Type": "application/vnd.oci.image.manifest.v1+json"}
    with gateway.client("admin") as client:
        where = client.post("/v2/team/chart/blobs/uploads/").headers["location"]
        client.put(where, params={"digest": empty}, content=b"{}").raise_for_status()
        client.put("/v2/team/chart/manifests/v1", json=manifest, headers=headers).raise_for_status()
    found = answer(gateway, "team/chart:v1")
    assert (found["allowed"], found["verdict"]) == (False, "not-applicable")

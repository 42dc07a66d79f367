"""Deployments over HTTP, on a live server with real images: recorded, shown, released."""

import json
from collections.abc import Mapping
from typing import Any

import httpx
import pytest

from policy.deployments.receipts import verify
from tests.policy.gateway.test_audit import line_of
from tests.policy.live import LiveGateway

LOGIN = {"address": "myregistry.azurecr.io", "username": "u", "password": "hunter2"}


def body(gateway: LiveGateway, name: str, tag: str = "good", /, **changes: Any) -> dict[str, Any]:
    """A sound request for an image of this registry."""
    image = f"{gateway.host}/team/app:{tag}"
    asked: dict[str, Any] = {
        "name": name,
        "models": ["mymodel:1"],
        "inferenceConfig": {"entryScript": "score.py", "runtime": "python", "baseImage": image},
        "deploymentConfig": {"computeType": "aks"},
        "computeTarget": "akscomputetarget",
    }
    return asked | changes


def configured(gateway: LiveGateway, name: str, image: str, **changes: Any) -> dict[str, Any]:
    """One whose configuration names another image."""
    members = {"entryScript": "score.py", "runtime": "python", "baseImage": image}
    registry = {"baseImageRegistry": changes.pop("login", None)}
    return body(gateway, name, inferenceConfig=members | registry, **changes)


def post(gateway: LiveGateway, document: Mapping[str, Any], who: str = "reader") -> httpx.Response:
    """Ask for a deployment."""
    with gateway.client(who) as client:
        return client.post("/policy/v1/deployments", json=document)


def get(gateway: LiveGateway, path: str, who: str = "reader") -> httpx.Response:
    """Read something of the gateway's."""
    with gateway.client(who) as client:
        return client.get(f"/policy/v1/{path}")


def release(gateway: LiveGateway, identifier: str, who: str = "reader") -> httpx.Response:
    """Release one."""
    with gateway.client(who) as client:
        return client.post(f"/policy/v1/deployments/{identifier}/release")


def messages(answer: Mapping[str, Any], result: str) -> str:
    """What the findings of one weight say."""
    return " ".join(item["message"] for item in answer["findings"] if item["result"] == result)


def test_a_cleared_image_is_recorded(gateway: LiveGateway) -> None:
    """201: pinned, with a record and a receipt of what was asked."""
    answer = post(gateway, body(gateway, "cleared"))
    found = answer.json()
    assert (answer.status_code, found["allowed"], found["registryKind"]) == (201, True, "workspace")
    assert found["pinned"] == f"{gateway.host}/team/app@{found['digest']}"
    assert found["deployment"]["computeTarget"] == "akscomputetarget"
    assert found["deployment"]["recordedBy"] == "reader"


def test_the_receipt_holds(gateway: LiveGateway) -> None:
    """By the keys that anybody may read."""
    found = post(gateway, body(gateway, "receipt")).json()
    with gateway.registry.client() as client:
        answer = client.get("/policy/v1/keys")
    claims = verify(found["receipt"], answer.json(), 0.0).claims
    assert answer.headers["content-type"] == "application/jwk-set+json"
    assert (claims["sub"], claims["image"]["pinned"]) == ("receipt", found["pinned"])
    assert claims["policy"] == found["policy"]


def test_a_refused_image_is_not(gateway: LiveGateway) -> None:
    """200 with the reasons, and nothing recorded."""
    answer = post(gateway, body(gateway, "refused", "bad"))
    found = answer.json()
    assert (answer.status_code, found["allowed"], found["deployment"], found["receipt"]) == (200, False, None, None)
    assert "needs 3.5.x or 3.6.x" in messages(found, "fail")


def test_a_question_alone_records_nothing(gateway: LiveGateway) -> None:
    """`"record": false`."""
    answer = post(gateway, body(gateway, "question", record=False))
    assert (answer.status_code, answer.json()["allowed"], answer.json()["deployment"]) == (200, True, None)


def test_the_image_is_protected_until_it_is_released(gateway: LiveGateway) -> None:
    """From deletes of whoever may delete; the refusal has the code of a lock."""
    found = post(gateway, configured(gateway, "held", f"{gateway.host}/azureml/azureml_0b7f9e3a:latest")).json()
    path = f"/v2/azureml/azureml_0b7f9e3a/manifests/{found['digest']}"
    with gateway.client("admin") as client:
        refused = client.delete(path)
        assert client.delete("/acr/v1/azureml%2Fazureml_0b7f9e3a").status_code == 405
        assert release(gateway, found["deployment"]["id"]).json()["state"] == "released"
        deleted = client.delete(path)
    assert (refused.status_code, deleted.status_code) == (405, 202)
    assert refused.json()["errors"][0]["code"] == "REGISTRY_DISALLOWED_OPERATION"
    assert f"basegate deployment release {found['deployment']['id']}" in refused.text


def test_another_image_for_a_service_wants_overwrite(gateway: LiveGateway) -> None:
    """And says so; with it, the earlier one is released."""
    first = post(gateway, body(gateway, "twice")).json()["deployment"]["id"]
    other = configured(gateway, "twice", "mcr.microsoft.com/azureml/onnxruntime:v0.4.0")
    assert f"--overwrite, or basegate deployment release {first}" in messages(post(gateway, other).json(), "fail")
    assert post(gateway, other | {"overwrite": True}).status_code == 201
    assert get(gateway, f"deployments/{first}").json()["state"] == "released"


def test_somebody_elses_deployment_is_not_overwritten(gateway: LiveGateway) -> None:
    """Who may not release it does not get rid of its hold so, and is told nothing of its image."""
    first = post(gateway, body(gateway, "theirs")).json()["deployment"]["id"]
    answer = post(
        gateway, configured(gateway, "theirs", f"{gateway.host}/elsewhere/app:good", overwrite=True), "outsider"
    )
    assert (answer.status_code, answer.json()["deployment"]) == (200, None)
    assert "by somebody else" in messages(answer.json(), "fail")
    assert "team/app" not in answer.text
    assert get(gateway, f"deployments/{first}").json()["state"] == "recorded"


def test_who_may_delete_the_image_overwrites(gateway: LiveGateway) -> None:
    """As it may release."""
    first = post(gateway, body(gateway, "taken-over")).json()["deployment"]["id"]
    other = configured(gateway, "taken-over", "mcr.microsoft.com/azureml/onnxruntime:v0.4.0", overwrite=True)
    assert post(gateway, other, "admin").status_code == 201
    assert get(gateway, f"deployments/{first}").json()["state"] == "released"


@pytest.mark.parametrize("scope", ["", "repository:elsewhere/app:pull,delete"])
def test_a_token_for_something_else_shows_no_deployment(gateway: LiveGateway, scope: str) -> None:
    """Whoever's token it is."""
    made = post(gateway, body(gateway, "narrow")).json()["deployment"]["id"]
    with gateway.client("admin") as client:
        token = client.get("/oauth2/token", params={"service": "x", "scope": scope}).json()["access_token"]
    with gateway.registry.client(headers={"Authorization": f"Bearer {token}"}) as client:
        assert client.get(f"/policy/v1/deployments/{made}").status_code == 404


@pytest.mark.parametrize("value", ["[" * 900 + "]" * 900, '"\\ud800"'], ids=["deep", "half a character"])
def test_a_body_that_cannot_be_said_again(gateway: LiveGateway, value: str) -> None:
    """400, not a fault of the registry."""
    with gateway.client("reader") as client:
        text = json.dumps(body(gateway, "odd")).replace('"score.py"', f'"score.py", "more": {value}')
        answer = client.post("/policy/v1/deployments", content=text)
    assert (answer.status_code, "cannot be read" in answer.text) == (400, True)


def test_a_public_image_is_held_by_its_copy(gateway: LiveGateway) -> None:
    """Pinned under the name that it has everywhere."""
    image = "mcr.microsoft.com/azureml/onnxruntime"
    found = post(gateway, configured(gateway, "public", f"{image}:v0.4.0")).json()
    assert (found["registryKind"], found["pinned"]) == ("public", f"{image}@{found['digest']}")


def test_a_public_image_without_a_copy(gateway: LiveGateway) -> None:
    """Could not be told, and how it is brought in."""
    image = "mcr.microsoft.com/azureml/o16n-sample-user-base/ubuntu-miniconda"
    found = post(gateway, configured(gateway, "uncopied", image)).json()
    assert (found["allowed"], found["registryKind"]) == (False, "public")
    assert "basegate copy" in messages(found, "error")


def test_a_standalone_registry_is_not_for_the_command_line(gateway: LiveGateway) -> None:
    """As the documentation says of the machine learning CLI."""
    found = post(gateway, configured(gateway, "standalone", "other.azurecr.io/app:v1")).json()
    assert "is a standalone registry" in messages(found, "fail")
    assert "--profile sdk" in messages(found, "fail")


@pytest.mark.parametrize("login", [None, {"address": "other.azurecr.io"}, LOGIN])
def test_the_sdk_needs_the_standalone_registrys_login(gateway: LiveGateway, login: object) -> None:
    """Address, user name and password, of the very registry."""
    asked = configured(gateway, "standalone", "other.azurecr.io/app:v1", profile="sdk", login=login)
    assert "baseImageRegistry" in messages(post(gateway, asked).json(), "fail")


def test_this_registry_may_be_a_standalone_one(gateway: LiveGateway) -> None:
    """To a workspace elsewhere, whose configuration then holds a login for it."""
    image = "myregistry.azurecr.io/team/app:good"
    asked = configured(gateway, "from-elsewhere", image, login=LOGIN, registry="standalone")
    assert "is a standalone registry" in messages(post(gateway, asked).json(), "fail")
    assert post(gateway, asked | {"profile": "sdk"}).json()["registryKind"] == "standalone"


def test_the_workspaces_registry_needs_no_login(gateway: LiveGateway) -> None:
    """It is said, and nothing stands against it."""
    image = "myregistry.azurecr.io/team/app:good"
    found = post(gateway, configured(gateway, "needless", image, login=LOGIN)).json()
    assert found["allowed"]
    assert "needs no user name and password" in messages(found, "warn")


def test_passwords_stay_where_they_are(gateway: LiveGateway) -> None:
    """Neither in the answer, nor in the data folder."""
    image = "myregistry.azurecr.io/team/app:good"
    asked = configured(gateway, "secret", image, login=LOGIN | {"password": "correct-horse"})
    assert "correct-horse" not in post(gateway, asked).text
    files = [path for path in gateway.registry.data.rglob("*") if path.is_file()]
    assert not [path for path in files if b"correct-horse" in path.read_bytes()]


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"name": "My_Service"}, "is no name of a service"),
        ({"models": ["a b"]}, "is no model"),
        ({"deploymentConfig": {}}, "computeType is not set"),
        ({"deploymentConfig": {"computeType": "vm"}}, "needs one of local, aci, aks, iot, mir"),
        ({"computeTarget": None}, "give --ct NAME"),
        ({"workspace": "nobodys"}, "there is no workspace 'nobodys'"),
    ],
)
def test_what_the_service_would_refuse(gateway: LiveGateway, changes: dict[str, Any], told: str) -> None:
    """Denied with the reason, although the image is cleared."""
    found = post(gateway, body(gateway, "wrong", **changes)).json()
    assert (found["allowed"], found["verdict"]) == (False, "cleared")
    assert told in messages(found, "fail")


@pytest.mark.parametrize(
    "changes",
    [
        {"name": None},
        {"models": []},
        {"models": "mymodel:1"},
        {"models": ["m:1"] * 51},
        {"inferenceConfig": None},
        {"inferenceConfig": "a: [1"},
        {"deploymentConfig": 7},
        {"profile": "web"},
        {"registry": "public"},
        {"record": "yes"},
        {"Name": "x"},
        {"more": 1},
    ],
)
def test_bad_requests(gateway: LiveGateway, changes: dict[str, Any]) -> None:
    """400, whatever is wrong."""
    assert post(gateway, body(gateway, "bad", **changes)).status_code == 400


def test_files_may_be_sent_as_texts(gateway: LiveGateway) -> None:
    """As JSON or YAML."""
    config = json.dumps(body(gateway, "texts")["inferenceConfig"])
    asked = body(gateway, "texts", inferenceConfig=config, deploymentConfig="computeType: ACI\n", computeTarget=None)
    assert post(gateway, asked).json()["deployment"]["computeType"] == "aci"


def test_the_configuration_that_is_recorded_is_the_pinned_one(gateway: LiveGateway) -> None:
    """Its digest is the same for a tag and for the digest that it means."""
    first = post(gateway, body(gateway, "pinned")).json()
    members = {"entryScript": "score.py", "runtime": "python", "baseImage": first["pinned"]}
    again = post(gateway, body(gateway, "pinned-again", inferenceConfig=members)).json()
    assert first["deployment"]["configuration"] == again["deployment"]["configuration"]


def test_who_may_not_pull_learns_nothing(gateway: LiveGateway) -> None:
    """Neither by asking, nor of what others recorded."""
    identifier = post(gateway, body(gateway, "private")).json()["deployment"]["id"]
    assert post(gateway, body(gateway, "mine"), "outsider").status_code == 403
    assert get(gateway, f"deployments/{identifier}", "outsider").status_code == 404
    assert get(gateway, "deployments", "outsider").json() == {"deployments": []}
    assert release(gateway, identifier, "outsider").status_code == 404


def test_nobody_else_may_release_but_who_may_delete(gateway: LiveGateway) -> None:
    """A reader not what another has recorded, an owner everything."""
    identifier = post(gateway, body(gateway, "anothers"), "admin").json()["deployment"]["id"]
    assert release(gateway, identifier).status_code == 403
    assert release(gateway, identifier, "admin").json()["releasedBy"] == "admin"


def test_a_service_is_found_by_its_name(gateway: LiveGateway) -> None:
    """Of the default workspace, while it is recorded."""
    identifier = post(gateway, body(gateway, "by-name")).json()["deployment"]["id"]
    assert get(gateway, "deployments/by-name").json()["id"] == identifier
    assert release(gateway, "by-name").json()["id"] == identifier
    assert get(gateway, "deployments/by-name").status_code == 404


def test_they_are_listed(gateway: LiveGateway) -> None:
    """The latest first, without receipts."""
    post(gateway, body(gateway, "listed"))
    found = get(gateway, "deployments").json()["deployments"]
    assert found[0]["name"] == "listed"
    assert "receipt" not in found[0]


def test_not_signed_in(gateway: LiveGateway) -> None:
    """401 with a challenge, for everything but the keys."""
    with gateway.registry.client() as client:
        answers = [client.get(f"/policy/v1/{path}") for path in ("deployments", "deployments/d-0", "workspaces")]
        answers += [client.post("/policy/v1/deployments", json={}), client.put("/policy/v1/workspaces/lab1")]
    assert {answer.status_code for answer in answers} == {401}


def test_the_audit_names_image_and_decision(gateway: LiveGateway) -> None:
    """Of a record and of a release."""
    recorded = post(gateway, body(gateway, "audited"))
    released = release(gateway, recorded.json()["deployment"]["id"])
    first, second = (line_of(gateway, answer) for answer in (recorded, released))
    assert (first["action"], first["decision"]) == ("deployments.record", "allowed: cleared")
    assert (second["action"], second["digest"]) == ("deployments.release", recorded.json()["digest"])
    assert first["reference"] == second["reference"] == f"{gateway.host}/team/app:good"

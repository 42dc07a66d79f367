"""The registry as az shows it, and how it signs other programs in to it."""

import json
import ssl
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.clients.azure.az import REGISTRY, Az, Cloud
from tests.clients.daemons import docker_daemon

pytestmark = pytest.mark.xdist_group("azure-cli")


def told(az: Az, *arguments: str) -> Any:
    """What az prints, as JSON, without its warnings."""
    return json.loads(az.run(*arguments, "--only-show-errors", "--output", "json").check().output)


def refused(az: Az, *arguments: str) -> str:
    """What az prints of a refusal."""
    done = az.run(*arguments, "--only-show-errors")
    assert not done.ok
    return done.output


def test_show(az: Az, cloud: Cloud) -> None:
    """`az acr show`: the login server has its port."""
    assert told(az, "acr", "show", "--name", REGISTRY)["loginServer"] == cloud.host


def test_list(az: Az) -> None:
    """`az acr list`."""
    assert [each["name"] for each in told(az, "acr", "list")] == [REGISTRY]


@pytest.mark.parametrize(("name", "free"), [(REGISTRY, False), ("another1", True)])
def test_check_name(az: Az, name: str, free: bool) -> None:
    """`az acr check-name`."""
    assert told(az, "acr", "check-name", "--name", name)["nameAvailable"] is free


def test_show_usage(az: Az) -> None:
    """`az acr show-usage`."""
    assert told(az, "acr", "show-usage", "--name", REGISTRY)["value"][0]["name"] == "Size"


def test_a_registry_that_is_not_there(az: Az) -> None:
    """az finds it in no list, and says so."""
    assert "could not be found" in refused(az, "acr", "show", "--name", "another1")


@pytest.mark.parametrize("which", ["retention", "soft-delete"])
def test_policies_are_shown(az: Az, which: str) -> None:
    """`az acr config … show`."""
    assert told(az, "acr", "config", which, "show", "--registry", REGISTRY)["status"] in {"enabled", "disabled"}


def test_retention_of_untagged_manifests(az: Az) -> None:
    """`az acr config retention update`: switched on for some days, shown, and off again."""
    words = ("acr", "config", "retention", "update", "--registry", REGISTRY, "--type", "UntaggedManifests", "--status")
    changed = told(az, *words, "Enabled", "--days", "30")
    assert (changed["status"], changed["days"]) == ("enabled", 30)
    shown = told(az, "acr", "config", "retention", "show", "--registry", REGISTRY)
    assert (shown["status"], shown["days"]) == ("enabled", 30)
    assert told(az, *words, "Disabled")["status"] == "disabled"


def test_soft_delete(az: Az) -> None:
    """`az acr config soft-delete update`: other days, shown, switched off and on again."""
    words = ("acr", "config", "soft-delete", "update", "--registry", REGISTRY, "--yes", "--status")
    changed = told(az, *words, "Enabled", "--days", "7")
    assert (changed["status"], changed["retentionDays"]) == ("enabled", 7)
    assert told(az, *words, "Disabled")["status"] == "disabled"
    told(az, *words, "Enabled", "--days", "1")
    shown = told(az, "acr", "config", "soft-delete", "show", "--registry", REGISTRY)
    assert (shown["status"], shown["retentionDays"]) == ("enabled", 1)


@pytest.mark.parametrize(
    "command",
    [
        ("acr", "update", "--name", REGISTRY, "--anonymous-pull-enabled", "true"),
        ("acr", "create", "--name", "another1", "--resource-group", "default", "--sku", "Premium"),
        ("acr", "run", "--registry", REGISTRY, "--cmd", "bash echo hi", "/dev/null"),
    ],
)
def test_what_is_not_offered_is_told(az: Az, command: tuple[str, ...]) -> None:
    """With a code and a sentence that says what to do."""
    assert "(OperationNotSupported)" in refused(az, *command)


def test_expose_token(az: Az, cloud: Cloud) -> None:
    """`az acr login --expose-token`: the token signs in at the registry under the user name for tokens."""
    shown = told(az, "acr", "login", "--name", REGISTRY, "--expose-token")
    assert shown["loginServer"] == cloud.host
    form = {"grant_type": "refresh_token", "service": cloud.host, "refresh_token": shown["refreshToken"]}
    with httpx.Client(verify=ssl.create_default_context(cafile=cloud.ca), trust_env=False) as client:
        form["scope"] = "repository:a/b:pull,push"
        reply = client.post(f"https://{cloud.host}/oauth2/token", data=form).raise_for_status().json()
    assert reply["scope"] == "repository:a/b:pull,push"


def test_repositories_are_listed(az: Az) -> None:
    """`az acr repository list`, over the token that az exchanges."""
    assert isinstance(told(az, "acr", "repository", "list", "--name", REGISTRY), list)


@pytest.mark.client("podman")
@pytest.mark.root
def test_podman_is_signed_in(cloud: Cloud, home: Path) -> None:
    """`az acr login` with `DOCKER_COMMAND=podman` writes what podman reads."""
    auth = home / "auth.json"
    az = cloud.signed_in(home, cloud.pusher, DOCKER_COMMAND="podman", REGISTRY_AUTH_FILE=str(auth))
    assert "Login Succeeded" in az.run("acr", "login", "--name", REGISTRY).check().output
    assert cloud.host in json.loads(auth.read_text(encoding="utf-8"))["auths"]


@pytest.mark.client("podman")
@pytest.mark.root
def test_podman_is_signed_in_with_a_secret(cloud: Cloud, home: Path) -> None:
    """`az acr login --username --password`: without `az login`."""
    auth = home / "auth.json"
    az = cloud.az(home, DOCKER_COMMAND="podman", REGISTRY_AUTH_FILE=str(auth))
    az.run(
        "cloud", "update", "--name", "lab", "--suffix-acr-login-server-endpoint", f":{cloud.host.rpartition(':')[2]}"
    )
    who = ("--username", cloud.pusher.username, "--password", cloud.pusher.password)
    assert "Login Succeeded" in az.run("acr", "login", "--name", "localhost", *who).check().output
    assert cloud.host in json.loads(auth.read_text(encoding="utf-8"))["auths"]


@pytest.mark.client("docker", "dockerd")
@pytest.mark.root
def test_docker_is_signed_in(cloud: Cloud, home: Path) -> None:
    """`az acr login`, which asks docker's engine first; docker signs in with the token at `/oauth2/token`."""
    (home / "engine").mkdir(parents=True)
    with docker_daemon(home / "engine") as socket:
        az = cloud.signed_in(home, cloud.pusher, DOCKER_HOST=f"unix://{socket}", DOCKER_CONFIG=str(home / "docker"))
        assert "Login Succeeded" in az.run("acr", "login", "--name", REGISTRY).check().output
    assert cloud.host in json.loads((home / "docker" / "config.json").read_text(encoding="utf-8"))["auths"]


def test_scope_maps_are_listed_and_changed(az: Az) -> None:
    """`az acr scope-map list`, `show`, `update` and `delete`; those of the system are there."""
    name, where = ("--name", "az-changed"), ("--registry", REGISTRY)
    told(az, "acr", "scope-map", "create", *name, *where, "--repository", "a/b", "content/read")
    listed = {each["name"] for each in told(az, "acr", "scope-map", "list", *where)}
    assert listed >= {"az-changed", "_repositories_pull", "_repositories_push", "_repositories_admin"}
    more = told(az, "acr", "scope-map", "update", *name, *where, "--add-repository", "a/b", "metadata/read")
    assert sorted(more["actions"]) == ["repositories/a/b/content/read", "repositories/a/b/metadata/read"]
    assert told(az, "acr", "scope-map", "show", *name, *where)["actions"] == more["actions"]
    assert az.run("acr", "scope-map", "delete", *name, *where, "--yes", "--only-show-errors").ok


def test_scope_maps_and_tokens(az: Az, cloud: Cloud) -> None:
    """`az acr scope-map create`, `token create`, `credential generate`: the token reads its repository."""
    name, where = ("--name", "az-token"), ("--registry", REGISTRY)
    told(az, "acr", "scope-map", "create", "--name", "az-map", *where, "--repository", "team/app", "content/read")
    made = told(az, "acr", "token", "create", *name, *where, "--scope-map", "az-map")
    assert [each["name"] for each in made["credentials"]["passwords"]] == ["password1", "password2"]
    again = told(
        az, "acr", "token", "credential", "generate", *name, *where, "--password1", "--expiration-in-days", "3"
    )
    login = (made["credentials"]["username"], again["passwords"][0]["value"])
    with httpx.Client(verify=ssl.create_default_context(cafile=cloud.ca), trust_env=False, auth=login) as client:
        query = {"service": cloud.host, "scope": "repository:team/app:pull,push"}
        reply = client.get(f"https://{cloud.host}/oauth2/token", params=query).raise_for_status().json()
    assert reply["scope"] == "repository:team/app:pull"
    assert [each["name"] for each in told(az, "acr", "token", "list", *where)] == ["az-token"]


def test_a_token_with_a_map_of_its_own(az: Az) -> None:
    """`az acr token create --repository`: az makes the map first."""
    made = told(
        az,
        "acr",
        "token",
        "create",
        "--name",
        "own-token",
        "--registry",
        REGISTRY,
        "--repository",
        "a/b",
        "content/read",
    )
    assert made["scopeMapId"].endswith("/scopeMaps/own-token-scope-map")


def test_the_admin_user(az: Az) -> None:
    """`az acr update --admin-enabled`, `credential show` and `credential renew`."""
    switch = ("acr", "update", "--name", REGISTRY, "--admin-enabled")
    assert told(az, *switch, "true")["adminUserEnabled"] is True
    shown = told(az, "acr", "credential", "show", "--name", REGISTRY)
    renewed = told(az, "acr", "credential", "renew", "--name", REGISTRY, "--password-name", "password")
    assert shown["username"] == renewed["username"] == REGISTRY
    assert shown["passwords"][0]["value"] != renewed["passwords"][0]["value"]
    assert shown["passwords"][1]["value"] == renewed["passwords"][1]["value"]
    assert told(az, *switch, "false")["adminUserEnabled"] is False

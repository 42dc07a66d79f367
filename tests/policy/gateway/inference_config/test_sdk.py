"""What azureml-core itself serialises is taken unchanged, in the shape of both SDK generations."""

from typing import Any

import pytest

from policy.gateway.inference_config.interpret import Form, interpret

LOGIN = {"address": "myregistry.azurecr.io", "username": "sp-app-id", "password": "sp-pw"}
CONDA = {
    "name": "project_environment",
    "channels": ["conda-forge"],
    "dependencies": ["python=3.6.2", {"pip": ["azureml-defaults"]}],
}


def serialised_2019() -> dict[str, Any]:
    """An environment as azureml-core 1.0.53 writes it (July 2019)."""
    return {
        "name": "my-deploy-env",
        "version": None,
        "environmentVariables": {"EXAMPLE_ENV_VAR": "EXAMPLE_VALUE", "example_env_var": "another"},
        "python": {"userManagedDependencies": False, "interpreterPath": "python", "condaDependencies": CONDA},
        "docker": {
            "enabled": True,
            "baseImage": "myregistry.azurecr.io/myimage:v1",
            "baseDockerfile": None,
            "sharedVolumes": True,
            "gpuSupport": False,
            "shmSize": "1g",
            "arguments": [],
            "baseImageRegistry": dict(LOGIN),
        },
        "spark": {"repositories": [], "packages": [], "precachePackages": True},
        "databricks": {"mavenLibraries": [], "pypiLibraries": []},
        "inferencingStackVersion": None,
    }


def serialised_2026() -> dict[str, Any]:
    """An environment as azureml-core 1.61.0 writes it."""
    document = serialised_2019()
    docker = document["docker"]
    del docker["gpuSupport"]
    docker |= {"buildContext": None, "platform": {"os": "Linux", "architecture": "amd64"}, "shmSize": "2g"}
    docker["baseImageRegistry"] = {**LOGIN, "registryIdentity": None}
    return document | {"r": None, "assetId": None}


@pytest.mark.parametrize("environment", [serialised_2019(), serialised_2026()], ids=["1.0.53", "1.61.0"])
def test_taken_unchanged(environment: dict[str, Any]) -> None:
    """The dict under `environment` gives image and credentials without any remark."""
    found = interpret({"entryScript": "score.py", "sourceDirectory": None, "environment": environment})
    assert (found.form, found.image, found.remarks) == (Form.ENVIRONMENT, "myregistry.azurecr.io/myimage:v1", ())
    assert found.login is not None
    assert found.login.username == LOGIN["username"]


@pytest.mark.parametrize("environment", [serialised_2019(), serialised_2026()], ids=["1.0.53", "1.61.0"])
def test_saved_environment_file(environment: dict[str, Any]) -> None:
    """`azureml_environment.json`, as saved to a directory, is read as it is."""
    assert interpret(environment).image == "myregistry.azurecr.io/myimage:v1"

"""Cloud metadata: what `az cloud register` and the SDKs ask before anything else."""

import pytest

from tests.policy.azure.endpoint import LiveEndpoint


def test_a_cloud_is_one_object_that_leads_here(endpoint: LiveEndpoint) -> None:
    """Signing in and resources are at the address that was asked."""
    with endpoint.client() as client:
        cloud = client.get("/metadata/endpoints?api-version=2022-09-01").json()
    assert cloud["resourceManager"] == f"{endpoint.url}/"
    assert cloud["authentication"]["loginEndpoint"] == f"{endpoint.url}/adfs"
    assert cloud["suffixes"]["acrLoginServer"] == endpoint.gateway.host.replace("127.0.0.1", "localhost")


def test_the_old_version_is_a_list_of_one(endpoint: LiveEndpoint) -> None:
    """azure-ai-ml and azureml-core read a list."""
    with endpoint.client() as client:
        clouds = client.get("/metadata/endpoints?api-version=2019-05-01").json()
    assert [cloud["name"] for cloud in clouds] == ["basegate"]


@pytest.mark.parametrize("path", ["//metadata/endpoints", "/metadata/endpoints/", "/Metadata/Endpoints"])
def test_slashes_and_case_do_not_matter(endpoint: LiveEndpoint, path: str) -> None:
    """As at the resource manager."""
    with endpoint.client() as client:
        assert client.get(f"{endpoint.url}{path}").status_code == 200


def test_a_forged_host_is_not_repeated(endpoint: LiveEndpoint) -> None:
    """What cannot be a host does not get into the addresses."""
    with endpoint.client() as client:
        cloud = client.get("/metadata/endpoints", headers={"Host": 'evil"<x>'})
    assert "evil" not in cloud.text

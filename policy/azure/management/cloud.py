"""Cloud metadata: where a client finds signing in, resources and registries (`az cloud register`)."""

from typing import Any

from policy.azure.management.environment import AzureEnvironment

LIST_VERSION = "2019-05-01"
"""The api-version whose answer is a list of clouds; later ones answer with one."""


def metadata(environment: AzureEnvironment, version: str) -> Any:
    """What `GET /metadata/endpoints` answers: one cloud, or for the old api-version a list of one.

    Signing in is offered in the form of AD FS: with it no client asks Microsoft which authorities there are.
    """
    cloud = _cloud(environment)
    return [cloud] if version == LIST_VERSION else cloud


def _cloud(environment: AzureEnvironment) -> dict[str, Any]:
    url, name = environment.url, environment.settings.cloud
    # Services that are not here need an address all the same: clients refuse a cloud without one.
    absent = dict.fromkeys(_ABSENT, url)
    return absent | {
        "name": name,
        "portal": f"{url}/portal",
        "resourceManager": f"{url}/",
        "authentication": {
            "loginEndpoint": f"{url}/adfs",
            "audiences": [f"{url}/"],
            "tenant": "common",
            "identityProvider": "ADFS",
        },
        "graph": f"{url}/graph",
        "graphAudience": f"{url}/graph",
        "microsoftGraphResourceId": f"{url}/",
        "suffixes": {"acrLoginServer": environment.login_server} | {key: f"{word}.{name}" for key, word in _SUFFIXES},
    }


_ABSENT = (
    "media",
    "batch",
    "sqlManagement",
    "gallery",
    "vmImageAliasDoc",
    "appInsightsResourceId",
    "logAnalyticsResourceId",
    "activeDirectoryDataLake",
)
_SUFFIXES = (
    ("storage", "core"),
    ("keyVaultDns", "vault"),
    ("sqlServerHostname", "db"),
    ("azureDataLakeStoreFileSystem", "adls"),
    ("mhsmDns", "mhsm"),
)

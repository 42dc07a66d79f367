"""basegate put together: the registry, and every extension that joins it."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

from policy.administration import extension as policy_administration
from policy.attestation import extension as attestation
from policy.attestation.attestations import Attestations
from policy.azure.admin_user import AdminUser
from policy.azure.data_plane import extension as azure_data_plane
from policy.deployments.receipt_key import receipt_key
from policy.deployments.workspaces import Workspaces
from policy.enforcement import extension as enforcement
from policy.enforcement.gate import PolicyGate
from policy.gateway import extension as gateway
from policy.gateway.checks import Checks
from policy.gateway.deployments import extension as deployments
from policy.kubernetes import extension as kubernetes
from policy.search import extension as image_search
from policy.search.images import ImageSearch
from policy.settings import (
    Settings,
    attest_section,
    azure_section,
    data_plane_section,
    deployments_section,
    gateway_section,
    judging_section,
    kubernetes_section,
    search_section,
    web_section,
)
from policy.signing.key_ring import VERDICT_KEY_FILE, KeyRing
from policy.web import extension as web
from registry.administration import extension as administration
from registry.administration.runs import Runs
from registry.api.services import Stores
from registry.app import RegistryApp
from registry.app import build as build_registry
from registry.config.settings import RegistrySettings
from registry.extension import Extension, compose
from registry.storage.blob_store import BlobStore

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Shared:
    """What extensions of this package are made from, each of what it needs.

    Attributes:
        stores: the registry's.
        gate: decides; the first extension closes it.
        checks: answers questions about images.
        search: finds images.
        workspaces: what deployments belong to; one for all who create, show and change them.
        ring: the keys that verdicts are signed with.
        attestations: what is attested of manifests; one for all who publish, show and record it.
        admin: the admin user in Azure's sense; one for all who switch it, as changes take turns.
        runs: long work that is asked for over HTTP.
    """

    stores: Stores
    gate: PolicyGate
    checks: Checks
    search: ImageSearch
    workspaces: Workspaces
    ring: KeyRing
    attestations: Attestations
    admin: AdminUser
    runs: Runs

    def section(self, of: Callable[[RegistrySettings], T]) -> Callable[[], T]:
        """A section of the settings, as it is whenever somebody asks."""
        return lambda: of(self.stores.settings.current)


def _admin_user(stores: Stores) -> AdminUser:
    settings = stores.settings.current
    name, forced = deployments_section(settings).registry_name, azure_section(settings).admin_user
    return AdminUser(settings.data, stores.metadata, name, forced=forced)


def _azure_management(shared: Shared) -> Extension:
    """The management endpoint, which is imported only where it has an address: few have one, and it takes its time."""
    settings = shared.stores.settings.current
    if not azure_section(settings).listen:
        return Extension()
    from policy.azure.management import extension as management  # noqa: PLC0415

    records = management.Records(shared.workspaces, shared.admin)
    return management.extension(azure_section, deployments_section, settings, shared.checks, records)


EXTENSIONS: tuple[Callable[[Shared], Extension], ...] = (
    lambda shared: enforcement.extension(shared.gate, shared.stores.metadata, judging_section),
    lambda shared: attestation.extension(
        shared.gate, shared.stores, shared.attestations, shared.ring, shared.section(attest_section)
    ),
    lambda shared: gateway.extension(shared.checks, shared.attestations, shared.section(gateway_section)),
    lambda shared: azure_data_plane.extension(shared.gate, shared.section(data_plane_section), shared.admin),
    lambda shared: deployments.extension(
        shared.stores,
        shared.checks,
        shared.workspaces,
        shared.ring,
        shared.section(gateway_section),
        shared.section(deployments_section),
    ),
    lambda shared: kubernetes.extension(
        shared.checks, shared.section(gateway_section), shared.section(kubernetes_section)
    ),
    _azure_management,
    lambda shared: administration.extension(shared.stores, shared.runs),
    lambda shared: policy_administration.extension(shared.gate, shared.stores, shared.runs),
    lambda shared: image_search.extension(shared.search, shared.section(search_section)),
    lambda shared: web.extension(shared.gate, shared.search, shared.section(web_section)),
)
"""All that join, in this order; closed in the reverse order."""


def build(settings: Settings, *, new_database: bool = False, blobs: BlobStore | None = None) -> RegistryApp:
    """Build everything over the data folder of the settings; the caller closes it.

    With `new_database`, the registry begins with no rows although the folder holds content. `blobs`: where these are
    kept; `None`: in the data folder.

    Raises:
        PolicyRefused: a policy cannot be used.
        OperatorFileRefused: the standing orders cannot be read.
        SigningKeyUnusable, BasegateError, SQLAlchemyError, OSError: the data folder cannot be used.
    """

    def extension(stores: Stores) -> Extension:
        # Before the gate, which nobody would close if these could not be read.
        ring = KeyRing(settings.data, VERDICT_KEY_FILE)
        receipt_key(settings.data)  # now: other nodes get copies of all keys
        workspaces = Workspaces(settings.data, lambda: deployments_section(stores.settings.current))
        gate = PolicyGate.open(stores.storage, stores.metadata, settings, settings.policy)
        checks = Checks(stores.metadata, gate, stores.storage)
        attestations = Attestations(
            stores.metadata, gate, ring, lambda: attest_section(stores.settings.current), time.time
        )
        search = ImageSearch(gate, stores.metadata, lambda: search_section(stores.settings.current).looked_at)
        runs = Runs(lambda: stores.settings.current.administration)
        shared = Shared(stores, gate, checks, search, workspaces, ring, attestations, _admin_user(stores), runs)
        return compose(partial(make, shared) for make in EXTENSIONS)

    return build_registry(settings, extension=extension, new_database=new_database, blobs=blobs)

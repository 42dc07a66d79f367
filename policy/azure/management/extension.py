"""The management endpoint as an extension of the registry: a port of its own, and the builds behind it."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from starlette.requests import Request

from policy.azure.admin_user import AdminUser
from policy.azure.arm_errors import server_form
from policy.azure.builds.builds import Builds
from policy.azure.builds.request import ImageName
from policy.azure.management.build_handlers import BuildHandlers
from policy.azure.management.cloud_handler import CloudHandler
from policy.azure.management.dispatch import Management, Row
from policy.azure.management.environment import AzureEnvironment, environment_of
from policy.azure.management.import_handlers import ImportHandlers
from policy.azure.management.resources import ResourceHandlers
from policy.azure.management.routes import builds, imports, refusals, resources, signing_in, webhooks
from policy.azure.management.routes import scope_maps as scope_map_rows
from policy.azure.management.routes import workspaces as workspace_rows
from policy.azure.management.scope_map_handlers import ScopeMapHandlers
from policy.azure.management.settings import AzureSettings
from policy.azure.management.sign_in.handlers import SignInHandlers
from policy.azure.management.sign_in.under_way import UnderWay
from policy.azure.management.webhook_handlers import WebhookHandlers
from policy.azure.management.workspace_handlers import WorkspaceHandlers
from policy.azure.scope_maps import RepositoryTokens, ScopeMaps
from policy.deployments.settings import DeploymentSettings
from policy.deployments.workspaces import Workspaces
from policy.gateway.check_result import CheckResult
from policy.gateway.checks import Checks
from registry.api.services import Services
from registry.auth.sign_in import Identity
from registry.config.settings import RegistrySettings
from registry.errors import BasegateError
from registry.extension import Extension, Port
from registry.oci.image_reference import ImageReference, split_port

Section = Callable[[RegistrySettings], AzureSettings]
Named = Callable[[RegistrySettings], DeploymentSettings]

_OWN_CERTIFICATE = ("tls/server.crt", "tls/server.key")
_EVERYWHERE = frozenset({"", "0.0.0.0", "::"})  # noqa: S104 - compared, not listened on


@dataclass(frozen=True, slots=True)
class Records:
    """What the endpoint shares with other extensions: there is one of each.

    Attributes:
        workspaces: of deployments.
        admin: the admin user.
    """

    workspaces: Workspaces
    admin: AdminUser


class NoCertificate(BasegateError):
    """The endpoint has nothing to serve HTTPS with; the message says what to do."""


def extension(
    section: Section, named: Named, settings: RegistrySettings, checks: Checks, records: Records
) -> Extension:
    """Open the port that section `azure` names; without one, nothing.

    Args:
        section: finds the section in settings.
        named: finds the section `deployments`, which has the names of subscription, group and registry.
        settings: those that count now.
        checks: give the verdicts that logs of builds end with.
        records: what it shows and changes that others have as well.

    Raises:
        NoCertificate: there is no certificate for it.
    """
    if not section(settings).listen:
        return Extension()
    certificate(section(settings), settings)
    endpoint = Endpoint(section, named, checks, records)
    return Extension(ports=endpoint.ports, background=(endpoint.work,))


class Endpoint:
    """The endpoint, put together once the registry's services are there."""

    def __init__(self, section: Section, named: Named, checks: Checks, records: Records) -> None:
        self._section = section
        self._named = named
        self._checks = checks
        self._records = records
        self._builds: Builds | None = None

    def ports(self, services: Services) -> tuple[Port, ...]:
        """The one port."""
        app = Management(self.table(services), services.token_service)
        listen = self._section(services.stores.settings.current).listen
        return (Port(listen, app, lambda settings: certificate(self._section(settings), settings), server_form),)

    async def work(self) -> None:
        """Build what is asked for."""
        if self._builds is not None:
            await self._builds.work()

    def table(self, services: Services) -> tuple[Row, ...]:
        """Every row of the endpoint."""
        in_force, section, named = services.stores.settings, self._section, self._named
        own = section(in_force.current)

        def environment(request: Request) -> AzureEnvironment:
            return environment_of(request, section(in_force.current), named(in_force.current), in_force.current)

        def body_bytes() -> int:
            return section(in_force.current).request_bytes

        self._builds = Builds(
            in_force.current.data, lambda: section(in_force.current).builds, services.token_service, self._verdict
        )
        handlers = SignInHandlers(
            services.token_service, UnderWay(own.sign_ins, own.sign_in_seconds), environment, body_bytes
        )
        shown = WorkspaceHandlers(self._records.workspaces, environment)
        things = ResourceHandlers(services, environment, body_bytes, shown.brief, self._records.admin)
        metadata = services.stores.metadata
        rights = ScopeMapHandlers(ScopeMaps(metadata), RepositoryTokens(metadata), environment, body_bytes)
        tasks = BuildHandlers(
            self._builds, environment, body_bytes, lambda: loopback(in_force.current.listen), own.builds.link_seconds
        )
        from policy.azure.imports.imports import Imports  # noqa: PLC0415 - slow to import

        images = Imports(services, lambda: section(in_force.current).imports)
        own_rows = (
            *resources(things),
            *workspace_rows(shown),
            *scope_map_rows(rights),
            *builds(tasks),
            *imports(ImportHandlers(images, environment, body_bytes)),
            *webhooks(WebhookHandlers(metadata, environment, body_bytes, lambda: in_force.current.events)),
            *refusals(things),
        )
        return (*signing_in(handlers, CloudHandler(environment)), *own_rows)

    async def _verdict(self, caller: Identity, name: ImageName) -> str:
        """What `basegate check` says first of an image that was pushed."""
        answer = await self._checks.check(caller.principal, ImageReference("", name.repository, name.tag))
        return _in_one_line(answer, str(name))


def loopback(listen: str) -> str:
    """HOST:PORT under which this very machine reaches an address that is listened on."""
    host, port = split_port(listen)
    if host in _EVERYWHERE:
        return f"127.0.0.1:{port}"
    return listen


def certificate(own: AzureSettings, settings: RegistrySettings) -> tuple[Path, Path]:
    """Chain and key that the port serves HTTPS with: its own, the registry's, or those of `basegate tls init`.

    Raises:
        NoCertificate: there are none.
    """
    for chain, key in ((own.tls_cert, own.tls_key), (settings.tls_cert, settings.tls_key)):
        if chain is not None and key is not None:
            return chain, key
    chain, key = (settings.data / name for name in _OWN_CERTIFICATE)
    if not chain.exists() or not key.exists():
        raise NoCertificate(
            f"azure.listen is {own.listen}, and there is no certificate to serve HTTPS with: basegate tls init --data "
            f"{settings.data} makes one; or set azure.tls_cert and azure.tls_key"
        )
    return chain, key


def _in_one_line(answer: CheckResult, name: str) -> str:
    """`allowed: myimage:v1 (cleared)`, or why not."""
    against = [str(found["message"]) for found in answer.findings if found["result"] in {"fail", "error"}]
    why = f": {'; '.join(against)}" if against else ""
    said = f"{'allowed' if answer.allowed else 'denied'}: {name}@{answer.digest} ({answer.verdict}){why}"
    return "".join(sign if sign.isprintable() else " " for sign in said)

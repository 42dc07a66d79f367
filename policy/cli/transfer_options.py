"""What the commands that move images share: where they go, who asks, and what is opened for it."""

import os
import re
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import click

from registry.cli.data_folder import data_option
from registry.cli.output import json_option
from registry.oci.errors import OciError
from registry.oci.image_reference import ImageReference
from registry.oci.names import Reference, RepositoryName, Tag
from registry.registry_client.client import RegistryClient, given, stored
from registry.registry_client.credentials import Credentials
from registry.registry_client.endpoint import Endpoint
from registry.registry_client.unfinished_uploads import UnfinishedUploads
from registry.transfer.errors import SourceUnusable

_HOST = re.compile(r"(localhost|[^/]*[.:][^/]*)/")

_OPTIONS = (
    click.option("--username", envvar="BASEGATE_USERNAME", default="", help="Sign in at the registry of REPO as."),
    click.option("--password", envvar="BASEGATE_PASSWORD", default="", help="Its secret; better: --password-stdin."),
    click.option("--password-stdin", is_flag=True, help="Read the secret from standard input."),
    click.option("--ca-file", envvar="BASEGATE_CA_FILE", type=click.Path(path_type=Path), help="Trust this CA (PEM)."),
    click.option("--plain-http", envvar="BASEGATE_PLAIN_HTTP", is_flag=True, help="HTTP for addresses not loopback."),
)


def transfer_options(command: Callable[..., None]) -> Callable[..., None]:
    """The flags of every command that moves images."""
    command = data_option(json_option(command))
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


@dataclass(frozen=True, slots=True)
class RepositoryReference:
    """A repository, or an image in one, as it is typed.

    Attributes:
        host: `HOST[:PORT]` of its registry; "" for the data folder.
        repository: its name there.
        tag: of the image; `None` when none is typed.
        reference: tag or digest; `None` when neither is typed.
    """

    host: str
    repository: RepositoryName
    tag: Tag | None
    reference: Reference | None

    @classmethod
    def parse(cls, text: str, *, local: bool) -> Self:
        """Parse `[HOST[:PORT]/]repository[:tag][@digest]`.

        Args:
            text: as typed.
            local: a first part that looks like a host is part of the name: the data folder is meant.

        Raises:
            click.BadParameter: it is no such name.
        """
        try:
            read = ImageReference.parse_local if local or not _HOST.match(text) else ImageReference.parse
            image = read(text)
        except OciError as error:
            raise click.BadParameter(error.message) from None
        return cls(image.host, image.repository, image.tag, image.digest or image.tag)

    @property
    def is_local(self) -> bool:
        """Whether the data folder is meant."""
        return not self.host

    def __str__(self) -> str:
        host = f"{self.host}/" if self.host else ""
        separator = "" if self.reference is None else (":" if self.reference is self.tag else "@")
        return f"{host}{self.repository}{separator}{self.reference or ''}"


def source_reference(text: str) -> RepositoryReference:
    """The registry's image that a source means which is no path. Raises SourceUnusable."""
    try:
        typed = RepositoryReference.parse(text, local=False)
    except click.BadParameter as error:
        raise SourceUnusable(f"{text[:255]} is no file or folder, nor an image: {error.message}") from None
    if typed.is_local:
        raise SourceUnusable(
            f"{text[:255]} is no file or folder, and names no registry, as HOST[:PORT]/repository does"
        )
    return typed


@dataclass(frozen=True, slots=True)
class Calling:
    """How registries are called.

    Attributes:
        login: credentials that were typed, for the registry that the caller named last; `None`: stored ones.
        ca_file: an authority trusted beside the system's.
        plain_http: HTTP although the address is not loopback.
    """

    login: Credentials | None
    ca_file: Path | None
    plain_http: bool

    @classmethod
    def typed(
        cls, *, username: str, password: str, password_stdin: bool, ca_file: Path | None, plain_http: bool
    ) -> Self:
        """By the flags of `transfer_options`."""
        if password_stdin and (password or not username):
            raise click.UsageError("--password-stdin goes with --username, and without --password")
        secret = sys.stdin.readline().rstrip("\r\n") if password_stdin else password
        return cls(Credentials(username, secret, "the command line") if username else None, ca_file, plain_http)

    def endpoint(self, host: str, *, own: bool = True) -> Endpoint:
        """The address of a registry. Raises EndpointUnusable."""
        ca_files = (self.ca_file,) if self.ca_file else None
        return Endpoint.parse(host, plain_http=self.plain_http and own, ca_files=ca_files)

    def client(
        self, typed: RepositoryReference, *, own: bool = True, unfinished: UnfinishedUploads | None = None
    ) -> RegistryClient:
        """A client of its registry.

        Args:
            typed: whose registry.
            own: with the credentials that were typed, if any, and HTTP if wanted.
            unfinished: where its uploads are noted.

        Raises:
            EndpointUnusable, TrustUnusable: the registry cannot be called so.
        """
        endpoint = self.endpoint(typed.host, own=own)
        if own and self.login is not None:
            return RegistryClient(endpoint, given(self.login), unfinished)
        return RegistryClient(endpoint, stored(endpoint, typed.repository, os.environ), unfinished)


def is_typed(context: click.Context, name: str) -> bool:
    """Whether an option was typed, and is not a default or of the environment."""
    return context.get_parameter_source(name) is click.core.ParameterSource.COMMANDLINE


def parameters_are_local(parameter: str) -> Callable[[Any], bool]:
    """Whether what a parameter of the running command names is in the data folder."""

    def is_local(parameters: Any) -> bool:
        context = click.get_current_context()
        return RepositoryReference.parse(str(parameters[parameter]), local=is_typed(context, "data")).is_local

    return is_local

"""`basegate`: every command on one screen, each imported when it is used."""

from typing import TYPE_CHECKING

from policy.commands import Commands

if TYPE_CHECKING:
    from registry.settings import RegistrySettings

COMMANDS = {
    "serve": "policy.cli_serve:serve_command",
    "check": "policy.cli_check:check_command",
    "explain": "policy.cli_check:explain_command",
    "principal": "registry.cli_principals:principal_group",
    "tls": "registry.cli_tls:tls_group",
    "repo": "registry.cli_content:repo_group",
    "tag": "registry.cli_content:tag_group",
    "manifest": "registry.cli_content:manifest_group",
    "gc": "registry.cli_gc:gc_group",
    "config": "registry.cli_config:config_group",
}


def _settings() -> "type[RegistrySettings]":
    """The settings class for those commands of the registry that read a settings file."""
    from policy.settings import Settings  # noqa: PLC0415  loading it costs the other commands their quick start

    return Settings


basegate = Commands(
    COMMANDS,
    name="basegate",
    help="A local OCI registry with an image-policy gateway.",
    context_settings={"obj": _settings},
)


def main() -> None:
    """The entry point."""
    basegate(prog_name="basegate")

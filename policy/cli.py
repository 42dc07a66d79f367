"""`basegate`: every command on one screen, each imported when it is used."""

from typing import Any

import click

from policy.commands import Commands

COMMANDS = {
    "serve": "policy.cli_serve:serve_command",
    "init": "policy.cli_init:init_command",
    "check": "policy.cli_check:check_command",
    "explain": "policy.cli_check:explain_command",
    "principal": "registry.cli_principals:principal_group",
    "policy": "policy.cli_policy:policy_group",
    "inspect": "policy.cli_inspect:inspect_command",
    "verify-evidence": "policy.cli_evidence:verify_evidence_command",
    "tls": "registry.cli_tls:tls_group",
    "repo": "registry.cli_content:repo_group",
    "tag": "registry.cli_content:tag_group",
    "manifest": "registry.cli_content:manifest_group",
    "gc": "registry.cli_gc:gc_group",
    "backup": "registry.cli_backup:backup_command",
    "restore": "registry.cli_backup:restore_command",
    "rebuild": "registry.cli_rebuild:rebuild_command",
    "verify": "registry.cli_verify:verify_command",
    "scrub": "registry.cli_scrub:scrub_command",
    "trash": "registry.cli_trash:trash_group",
    "config": "registry.cli_config:config_group",
}


def settings_kind() -> type[Any]:
    """The class of all settings, for the registry's own commands; imported when one of them asks."""
    from policy.settings import Settings  # noqa: PLC0415

    return Settings


basegate = Commands(
    COMMANDS,
    name="basegate",
    help="A local OCI registry with an image-policy gateway.",
    context_settings={"obj": settings_kind, "help_option_names": ["-h", "--help"], "max_content_width": 110},
)
click.version_option(package_name="basegate", message="%(prog)s %(version)s")(basegate)

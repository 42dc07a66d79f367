"""`basegate`: the table of commands, each imported when it is used."""

from typing import Any

import click

from policy.cli.lazy_group import Commands
from policy.cli.summaries import SUMMARIES

COMMANDS = {
    "serve": "policy.cli.serve:serve_command",
    "init": "policy.cli.init:init_command",
    "check": "policy.cli.check:check_command",
    "explain": "policy.cli.check:explain_command",
    "watch": "policy.cli.watch:watch_command",
    "find": "policy.cli.find:find_command",
    "deploy": "policy.cli.deploy:deploy_group",
    "deployment": "policy.cli.deployment:deployment_group",
    "workspace": "policy.cli.workspace:workspace_group",
    "verify-receipt": "policy.cli.verify_receipt:verify_receipt_command",
    "verdict": "policy.cli.verdict:verdict_group",
    "login": "policy.cli.login:login_command",
    "import": "policy.cli.import_images:import_command",
    "export": "policy.cli.export_images:export_command",
    "copy": "policy.cli.copy_images:copy_command",
    "build": "policy.cli.build:build_command",
    "azure": "policy.cli.azure:azure_group",
    "principal": "registry.cli.principals:principal_group",
    "policy": "policy.cli.policy:policy_group",
    "inspect": "policy.cli.inspect:inspect_command",
    "verify-evidence": "policy.cli.verify_evidence:verify_evidence_command",
    "tls": "registry.cli.tls:tls_group",
    "repo": "registry.cli.content:repo_group",
    "tag": "registry.cli.content:tag_group",
    "manifest": "registry.cli.content:manifest_group",
    "events": "policy.cli.events:events_group",
    "gc": "registry.cli.gc:gc_group",
    "retention": "policy.cli.retention:retention_group",
    "backup": "registry.cli.backup:backup_command",
    "restore": "registry.cli.backup:restore_command",
    "migrate": "policy.cli.migrate:migrate_command",
    "rebuild": "policy.cli.rebuild:rebuild_command",
    "verify": "registry.cli.verify:verify_command",
    "scrub": "registry.cli.scrub:scrub_command",
    "audit": "registry.cli.audit:audit_group",
    "trash": "registry.cli.trash:trash_group",
    "config": "registry.cli.config:config_group",
    "version": "policy.cli.version:version_command",
    "completion": "policy.cli.completion:completion_command",
}


def settings_kind() -> type[Any]:
    """The class of all settings, for the registry's commands; imported on demand."""
    from policy.settings import Settings  # noqa: PLC0415

    return Settings


basegate = Commands(
    COMMANDS,
    SUMMARIES,
    name="basegate",
    help="A local OCI registry with an image-policy gateway.",
    context_settings={"obj": settings_kind, "help_option_names": ["-h", "--help"], "max_content_width": 110},
)
click.version_option(package_name="basegate", message="%(prog)s %(version)s")(basegate)

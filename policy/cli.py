"""`basegate`: every command on one screen, each imported when it is used."""

from policy.commands import Commands

COMMANDS = {
    "serve": "policy.cli_serve:serve_command",
    "check": "policy.cli_check:check_command",
    "explain": "policy.cli_check:explain_command",
    "principal": "registry.cli_principals:principal_group",
    "tls": "registry.cli_tls:tls_group",
}

basegate = Commands(COMMANDS, name="basegate", help="A local OCI registry with an image-policy gateway.")


def main() -> None:
    """The entry point."""
    basegate(prog_name="basegate")

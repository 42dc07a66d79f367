"""`basegate completion`: the lines by which a shell completes commands and options."""

import click
from click.shell_completion import get_completion_class

SHELLS = ("bash", "zsh", "fish")
_VARIABLE = "_BASEGATE_COMPLETE"
_PROGRAM = "basegate"


@click.command("completion")
@click.argument("shell", type=click.Choice(SHELLS))
def completion_command(shell: str) -> None:
    """Print what SHELL reads to complete the words of basegate.

    bash: put it into ~/.bashrc, or a file of /etc/bash_completion.d. zsh: put it into ~/.zshrc, behind compinit. fish:
    put it into ~/.config/fish/completions/basegate.fish.
    """
    made = get_completion_class(shell)
    if made is None:
        raise click.UsageError(f"there is no completion for {shell}")
    root = click.get_current_context().find_root().command
    click.echo(made(root, {}, _PROGRAM, _VARIABLE).source())

"""`basegate check` and `basegate explain`: ask a registry's gateway about an image.

An archive, a layout or an image of the local docker or podman is judged here, before it is pushed.

Exit codes: 0 allowed, 1 denied, 2 could not tell (unreachable, not signed in, not found, another registry; or still
pending after `--wait`).
"""

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from policy.client.api import PENDING, check_again, check_config, explain
from policy.client.connection_options import ConnectionOptions
from policy.client.text import in_words
from policy.gateway.check_result import CheckResult
from policy.gateway.inference_config.dependencies import remarks_on
from policy.gateway.inference_config.interpret import InferenceConfig, interpret
from policy.gateway.inference_config.parse import InferenceConfigUnreadable, parse
from registry.cli.data_folder import config_option, settings_of
from registry.cli.output import for_programs, json_option, print_json
from registry.errors import BasegateError
from registry.oci.image_reference import ImageReference
from registry.registry_client.credentials import Credentials

ALLOWED, DENIED, COULD_NOT_TELL = 0, 1, 2
_WIDE = 240
_SETTINGS_FILE = "BASEGATE_CONFIG"
_BEFORE_IMAGES = ("docker:", "podman:", "/", "./", "../")
_AFTER_ARCHIVES = (".tar", ".tar.gz", ".tgz", ".tar.zst")
"""What is meant to be at hand by its name, also where it is not."""

_OPTIONS = (
    click.option("--username", envvar="BASEGATE_USERNAME", default="", help="Sign in as; a name or a GUID."),
    click.option("--password", envvar="BASEGATE_PASSWORD", default="", help="Its secret; better: --password-stdin."),
    click.option("--password-stdin", is_flag=True, help="Read the secret from standard input."),
    click.option("--ca-file", envvar="BASEGATE_CA_FILE", type=click.Path(path_type=Path), help="Trust this CA (PEM)."),
    click.option("--plain-http", envvar="BASEGATE_PLAIN_HTTP", is_flag=True, help="HTTP for addresses not loopback."),
    click.option(
        "--gateway",
        envvar="BASEGATE_GATEWAY",
        metavar="HOST:PORT",
        default="",
        help="Ask here instead of the image's own registry.",
    ),
    click.option("--timeout", default=60.0, show_default=True, help="Seconds to wait for any one step."),
    json_option,
)


def asking_options(command: Callable[..., None]) -> Callable[..., None]:
    """The flags of every command that talks to a registry."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


@click.command("check", short_help="Ask whether a deployment may start from an image.")
@click.argument("image", required=False)
@click.option(
    "--inference-config", "config_file", type=click.Path(path_type=Path), help="A JSON or YAML file; - reads it."
)
@click.option(
    "--wait",
    type=click.FloatRange(min=0),
    metavar="SECONDS",
    help="Ask again for so long while the image is still being inspected.",
)
@click.option("--image", "named", default="", metavar="NAME", help="Of an archive with several, this one.")
@click.option("--platform", "platforms", multiple=True, metavar="OS/ARCH", help="Of an archive's index, this alone.")
@click.option("--repository", metavar="REPO", help="Judge an archive as what will be pushed there.")
@click.option("--policy", default="", metavar="POLICY", help="Judge an archive by this policy, a name or a file.")
@config_option
@asking_options
def check_command(  # noqa: PLR0913 - one per option
    image: str | None,
    config_file: Path | None,
    *,
    wait: float | None,
    as_json: bool,
    named: str,
    platforms: tuple[str, ...],
    repository: str | None,
    policy: str,
    **flags: Any,
) -> None:
    """May a deployment start from IMAGE, or from the image of a configuration file?

    IMAGE is HOST:PORT/repository:tag, about which the registry's gateway is asked; or, before it is pushed, an archive
    of docker save or podman save, an OCI layout (a folder or a tar), - for one of these on standard input, or
    docker:NAME or podman:NAME. These are judged here, by the settings of --config.

    Exit code 0: allowed, 1: denied, 2: could not tell. An image that is still being inspected is denied for now, and
    with --wait, when it is so at the end, could not be told.
    """
    if (image is None) == (config_file is None):
        raise click.UsageError("give an IMAGE or --inference-config FILE, one of the two")
    unpushed = image is not None and _is_unpushed(image)
    if not unpushed and (named or platforms or repository or policy):
        raise click.UsageError("--image, --platform, --repository and --policy are for archives and layouts")
    try:
        if image is not None and unpushed:
            answer = _judged_here(image, repository, wait, image=named, platforms=platforms, policy=policy)
        else:
            answer = _answer(image, config_file, asking_of(**flags), wait or 0.0)
    except BasegateError as error:
        answer = CheckResult.unresolved(image or str(config_file), str(error))
    click.echo(for_programs(answer.document()) if as_json else in_words(answer), err=is_trouble(answer, as_json))
    sys.exit(exit_code(answer, waited=unpushed or wait is not None))


def exit_code(answer: CheckResult, *, waited: bool) -> int:
    """0 allowed, 1 denied, 2 could not tell, which includes a verdict still pending after `--wait`."""
    if answer.allowed:
        return ALLOWED
    if waited and answer.verdict == PENDING and not answer.stands_against:
        return COULD_NOT_TELL
    return DENIED if answer.could_tell else COULD_NOT_TELL


@click.command("explain", short_help="Show verdict, facts, evidence and the nearest fix.")
@click.argument("image")
@asking_options
def explain_command(image: str, *, as_json: bool, **flags: Any) -> None:
    """Verdict, facts, evidence and the nearest fix for IMAGE (HOST:PORT/repository:tag).

    Exit code 0: allowed, 1: denied, 2: could not tell.
    """
    try:
        wanted = ImageReference.parse(image)
        document = explain(asking_of(**flags).connection(wanted), wanted)
    except BasegateError as error:
        click.echo(f"could not tell: {error}", err=True)
        sys.exit(COULD_NOT_TELL)
    _show(document, as_json=as_json)
    sys.exit(ALLOWED if document.get("allowed") is True else DENIED)


def _is_unpushed(image: str) -> bool:
    """Whether it is at hand: an archive, a layout, an image of docker or podman."""
    begins, ends = image.startswith(_BEFORE_IMAGES), image.endswith(_AFTER_ARCHIVES)
    return image == "-" or begins or ends or Path(image).exists()


def _judged_here(text: str, repository: str | None, wait: float | None, **choice: Any) -> CheckResult:
    """Judge what is at hand; `choice` is the rest of `Wanted`."""
    from policy.cli.transfer_options import RepositoryReference  # noqa: PLC0415 - slow to import, and needed here only
    from policy.cli.unpushed_image import WAIT_SECONDS, Wanted, check_unpushed  # noqa: PLC0415

    typed = None if repository is None else RepositoryReference.parse(repository, local=False)
    wanted = Wanted(text, typed=typed, **choice)
    settings = settings_of(click.get_current_context())
    return check_unpushed(wanted, settings, WAIT_SECONDS if wait is None else wait)


def _show(document: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        print_json(document)
        return
    from rich.console import Console  # noqa: PLC0415 - needed here only, and slow to import

    from policy.client.tables import show  # noqa: PLC0415

    # Elsewhere than on a terminal nobody says how wide it is, unless COLUMNS does.
    is_terminal = sys.stdout is not None and sys.stdout.isatty()
    console = Console() if is_terminal or os.environ.get("COLUMNS") else Console(width=_WIDE)
    # Not written by rich: on a closed pipe it exits with 1, which means "denied".
    with console.capture() as captured:
        show(console, document)
    click.echo(captured.get(), nl=False)


def _answer(image: str | None, config_file: Path | None, asking: ConnectionOptions, wait: float) -> CheckResult:
    if config_file is None:
        wanted = ImageReference.parse(image or "")
        return check_again(asking.connection(wanted), wanted, wait)
    document = parse(read_config(config_file))
    config = interpret(document)
    if asking.gateway and any(remark.unset for remark in config.remarks):
        return check_config(asking.connection_to_gateway(), document, wait)
    if config.image and config.platform:  # the gateway compares it with the image's
        named = ImageReference.parse(config.image)
        return check_config(asking.connection_from_file(named, config.login), document, wait)
    answer = _image_answer(config, asking, wait)
    return answer.with_remarks((*config.remarks, *remarks_on(config, answer.facts)))


def _image_answer(config: InferenceConfig, asking: ConnectionOptions, wait: float) -> CheckResult:
    if not config.image:
        return CheckResult(allowed=False, verdict="inconclusive", reference="")
    try:
        wanted = ImageReference.parse(config.image)
        return check_again(asking.connection_from_file(wanted, config.login), wanted, wait)
    except BasegateError as error:
        return CheckResult.unresolved(config.image, str(error))


def read_config(file: Path) -> str:
    """The text of a configuration file; `-` is standard input.

    Raises:
        InferenceConfigUnreadable: it cannot be read, or is not text.
    """
    try:
        return sys.stdin.read() if str(file) == "-" else file.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise InferenceConfigUnreadable(f"{file} is not UTF-8 text: needs JSON or YAML") from None
    except OSError as error:
        raise InferenceConfigUnreadable(f"{file} cannot be read: {error.strerror}") from None


def asking_of(*, username: str, password: str, password_stdin: bool, gateway: str, **rest: Any) -> ConnectionOptions:
    """The connection options by the flags of `asking_options`, else by the settings."""
    if password_stdin and not username:
        raise click.UsageError("--password-stdin goes with --username")
    secret = sys.stdin.readline().rstrip("\r\n") if password_stdin else password
    login = Credentials(username, secret, "the command line") if username else None
    return ConnectionOptions(os.environ, Path.home(), login=login, gateway=gateway or _default_gateway(), **rest)


def _default_gateway() -> str:
    """The gateway by the settings, if there are any: most callers have none, and loading them is slow."""
    if not {_SETTINGS_FILE, "BASEGATE_CLIENT__GATEWAY"} & os.environ.keys():
        return ""
    from policy.settings import Settings  # noqa: PLC0415 - slow to import
    from registry.config.sources import load  # noqa: PLC0415

    named = os.environ.get(_SETTINGS_FILE)
    return load(Settings, Path(named) if named else None, {}, os.environ).client.gateway


def is_trouble(answer: CheckResult, as_json: bool) -> bool:  # noqa: FBT001
    """Whether to print a result to standard error: it could not be told, and no program reads it."""
    return not as_json and not answer.could_tell

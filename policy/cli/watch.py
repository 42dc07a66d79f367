"""`basegate watch`: pushes with their verdicts, as they come."""

import time
from typing import Any

import click

from policy.cli.check import asking_of, asking_options
from policy.client.api import Connection, check_again
from policy.client.pushes import Pushed, newest, pushes
from policy.gateway.check_result import CheckResult
from registry.cli.output import line_for_programs
from registry.errors import BasegateError, visible
from registry.oci.digest import Digest
from registry.oci.image_reference import ImageReference
from registry.oci.names import RepositoryName
from registry.oci.timestamp import timestamp

_FOR_EVER = float("inf")
_ANY = "any"
"""In the place of a repository, where only stored credentials are looked for."""


@click.command("watch", short_help="Print pushes with their verdicts, as they come.")
@click.argument("place", metavar="HOST:PORT[/PATH]")
@click.option("--after", type=click.IntRange(min=0), metavar="N", help="Begin behind this event; default: now.")
@click.option("--count", type=click.IntRange(min=1), help="End after so many pushes.")
@click.option("--for", "seconds", type=click.FloatRange(min=0), default=_FOR_EVER, help="End after so many seconds.")
@click.option(
    "--wait", type=click.FloatRange(min=0), default=300.0, show_default=True, help="Seconds to wait for a verdict."
)
@asking_options
def watch_command(  # noqa: PLR0913 - one per option
    place: str, *, after: int | None, count: int | None, seconds: float, wait: float, as_json: bool, **flags: Any
) -> None:
    """Print each push to HOST:PORT, or to the repositories at or below PATH there, with its verdict.

    Shown are repositories that the caller may pull from. Ends with 130 on Ctrl-C, with 0 after --count or --for.
    """
    host, _, path = place.partition("/")
    asking = asking_of(**flags)
    connection = asking.connection(ImageReference(host.lower(), RepositoryName.parse(path.rstrip("/") or _ANY)))
    ends = time.monotonic() + seconds
    shown = 0
    for push in pushes(connection, newest(connection) if after is None else after, ends):
        if path and not f"{push.repository}/".startswith(f"{path.rstrip('/')}/"):
            continue
        answer = _judged(connection, push, wait)
        click.echo(line_for_programs(_document(push, answer)) if as_json else visible(_line(push, answer)))
        shown += 1
        if shown == count:
            return


def _judged(connection: Connection, push: Pushed, wait: float) -> CheckResult:
    image = ImageReference(connection.host, RepositoryName(push.repository), digest=Digest(push.digest))
    try:
        return check_again(connection, image, wait)
    except BasegateError as error:  # deleted meanwhile, for instance: the next ones are shown all the same
        return CheckResult.unresolved(str(image), str(error))


def _line(push: Pushed, answer: CheckResult) -> str:
    name = f"{push.repository}:{push.tag}" if push.tag else push.repository
    policy = f" by policy {answer.policy['name']}" if answer.policy.get("name") else ""
    against = [item["message"] for item in answer.findings if item["result"] in {"fail", "error"}]
    why = f": {against[0]}" if against else ""
    return f"{timestamp(push.time)}  {name}@{push.digest}  pushed by {push.by}: {answer.verdict}{policy}{why}"


def _document(push: Pushed, answer: CheckResult) -> dict[str, Any]:
    return {
        "event": push.number,
        "time": timestamp(push.time),
        "repository": push.repository,
        "tag": push.tag,
        "by": push.by,
        **answer.document(),
        "digest": push.digest,
    }

"""How soon a change at one node counts at the other: `python -m tests.bench.told`, on one machine, both in one process.

A time runs from the first node's answer to the second one's first answer that follows from it; questions are asked
without a pause. The last rows pause the database.
"""

import signal
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import click
import httpx

from tests.clients.trees import cleared_image, refused_image
from tests.policy.two_nodes import Nodes, two_nodes
from tests.postgres import PostgresServer, postgres_server

SILENCE = 1.0
"""Seconds: the default of `metadata.silence_seconds`."""
_GIVEN_UP = 30.0
_GOOD, _BAD = "/v2/told/app/manifests/good", "/v2/told/app/manifests/bad"
_EXEMPTION = {"repositories": "told/*", "rule": "*", "owner": "bench", "reason": "told", "until": "2099-01-01"}

_LENIENT = {
    "name": "bench-lenient",
    "title": "Any Ubuntu",
    "subject": "The operating system.",
    "source": {"document": "This bench", "date": "2026-11-30", "url": "https://example.com/", "text": "Ubuntu."},
    "rules": [{"rule": "os-version", "id": "ubuntu", "minimum": "16.04"}],
}

Change = Callable[[], object]
Measured = Iterator[tuple[str, float]]


class Both:
    """Two nodes: an owner at the first, who changes things, and a reader at the second.

    Args:
        nodes: they.
        stack: closes the clients.
        postgres: their database.
    """

    def __init__(self, nodes: Nodes, stack: ExitStack, postgres: PostgresServer) -> None:
        self._owner = stack.enter_context(nodes.first.client("admin"))
        self._reader = stack.enter_context(nodes.second.client("reader"))
        self._outsider = stack.enter_context(nodes.second.client("outsider"))
        self._postgres = postgres

    def changes(self) -> Measured:
        """Each change once, and each taken back."""
        yield from self._principal()
        yield from self._exemption()
        yield from self._policy()

    def pause(self) -> Measured:
        """The database falls silent, and is heard again."""
        with self._silent():
            yield "the database falls silent: 503", _until(lambda: self._status(_GOOD), 503, lambda: None)
        yield "it is heard again: 200", _until(lambda: self._status(_GOOD), 200, lambda: None)

    def _principal(self) -> Measured:
        for enabled, status in ((False, 401), (True, 200)):
            change = self._change("PATCH", "principals/outsider", {"enabled": enabled})
            name = f"a principal is {'enabled' if enabled else 'disabled'}: {status}"
            yield name, _until(lambda: self._outsider.get("/v2/").status_code, status, change)

    def _exemption(self) -> Measured:
        made: list[httpx.Response] = []
        yield (
            "an exemption is made: 200",
            _until(
                lambda: self._status(_BAD), 200, lambda: made.append(self._change("POST", "exemptions", _EXEMPTION)())
            ),
        )
        change = self._change("DELETE", f"exemptions/{made[0].json()['id']}")
        yield "an exemption ends: 403", _until(lambda: self._status(_BAD), 403, change)

    def _policy(self) -> Measured:
        for name, chosen, status in (
            ("lenient", {"content": _LENIENT}, 200),
            ("strict", {"policy": "azureml-2019-07"}, 403),
        ):
            change = self._change("POST", "policies/activate", chosen | {"repositories": "told/*"})
            yield f"a {name} policy is put into force: {status}", _until(lambda: self._status(_BAD), status, change)

    def _status(self, path: str) -> int:
        return self._reader.get(path).status_code

    def _change(self, method: str, path: str, body: object = None) -> Callable[[], httpx.Response]:
        def change() -> httpx.Response:
            while (
                answer := self._owner.request(method, f"/admin/v1/{path}", json=body, timeout=60)
            ).status_code == 503:
                click.echo(f"{method} {path}: {answer.text}", err=True)
                time.sleep(0.1)
            if answer.is_error:
                raise click.ClickException(f"{method} {path}: {answer.text}")
            return answer

        return change

    def _asked(self, method: str, path: str, body: object) -> httpx.Response:
        return self._owner.request(method, f"/admin/v1/{path}", json=body, timeout=60)

    @contextmanager
    def _silent(self) -> Iterator[None]:
        self._postgres.signal_all(signal.SIGSTOP)
        try:
            yield
        finally:
            self._postgres.signal_all(signal.SIGCONT)


def _until(status: Callable[[], int], wanted: int, change: Change) -> float:
    """Seconds from the change's answer to the first answer with this status."""
    change()
    began = time.monotonic()
    while status() != wanted:
        if time.monotonic() - began > _GIVEN_UP:
            raise click.ClickException(f"no {wanted} within {_GIVEN_UP:g} s")
    return time.monotonic() - began


def measure(rounds: int) -> dict[str, list[float]]:
    """The seconds of each change."""
    found: dict[str, list[float]] = {}
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="basegate-told-")))
        postgres = stack.enter_context(postgres_server())
        nodes = stack.enter_context(two_nodes(postgres, folder, silence_seconds=SILENCE))
        nodes.first.push(folder / "good", "told/app:good", cleared_image())
        nodes.first.push(folder / "bad", "told/app:bad", refused_image())
        both = Both(nodes, stack, postgres)
        for _ in range(rounds):
            for work in (both.changes(), both.pause()):
                for name, seconds in work:
                    found.setdefault(name, []).append(seconds)
    return found


@click.command()
@click.option("--rounds", default=50, show_default=True, help="How often each change is made.")
def main(rounds: int) -> None:
    """Print the median and the longest time of each change."""
    click.echo("| change at the first node, answer of the second | median, ms | longest, ms |\n|---|---|---|")
    for name, seconds in measure(rounds).items():
        click.echo(f"| {name} | {statistics.median(seconds) * 1000:.1f} | {max(seconds) * 1000:.1f} |")


if __name__ == "__main__":
    main()

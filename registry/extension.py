"""How a package on top joins the registry: everything that it brings, in one value.

It joins in two steps. First it is made from the stores: the services need its gate. Then it is asked for its routes,
which need the services. What it opens, it closes in `close`; whatever fails in between, the registry calls that.
"""

from collections.abc import Callable, Coroutine, Iterable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from prometheus_client.registry import Collector
from starlette.types import ASGIApp

from registry.api.routes import Row
from registry.api.services import Services, Stores
from registry.config.reload import Follower
from registry.config.settings import RegistrySettings
from registry.content.derived import DerivedContent
from registry.content.retention import Marks
from registry.gate import Gate
from registry.maintenance.row_archive import CopiedBeside
from registry.telemetry.request_record import Observer

Work = Callable[[], Coroutine[Any, Any, None]]


Wording = Callable[[int, str], tuple[list[tuple[bytes, bytes]], bytes]]
"""Fields and body of what the server answers by itself: of a status and a message."""


@dataclass(frozen=True, slots=True)
class Port:
    """A further address that the server serves, always over TLS. Its requests are recorded as the registry's are.

    Attributes:
        listen: HOST:PORT.
        app: answers its requests.
        certificate: chain and key that settings name for it; raises BasegateError when there are none.
        wording: how the server words what it answers by itself there.
    """

    listen: str
    app: ASGIApp
    certificate: Callable[[RegistrySettings], tuple[Path, Path]]
    wording: Wording


@dataclass(frozen=True, slots=True, kw_only=True)
class Extension:
    """What one extension brings; whatever is left out, it does not have.

    Attributes:
        gate: decides on pushes and pulls; one of all extensions may have one.
        derived: what is served although no one has pushed it; one of all extensions may have it.
        routes: given the services, the rows of its own. A row of the registry, and any path below `/v2`, is taken.
        ports: given the services, the further addresses that are served for it.
        background: begun with the server, cancelled at its end.
        followers: asked before changed settings count.
        observers: told of every finished request, after metrics, access log and audit log.
        marks: what holds of manifests, for rules of retention; one of all extensions may say.
        collectors: read for `/metrics`.
        problems: asked for `/readyz`; each returns one sentence per problem.
        beside_rows: what of it is in the database of the rows and cannot be made again: it is copied with them.
        close: lets go of files, threads and processes; called once, while the stores are still open.
    """

    gate: Gate | None = None
    derived: DerivedContent | None = None
    routes: Callable[[Services], Sequence[Row]] = lambda _services: ()
    ports: Callable[[Services], Sequence[Port]] = lambda _services: ()
    background: Sequence[Work] = ()
    followers: Sequence[Follower] = ()
    observers: Sequence[Observer] = ()
    marks: Marks | None = None
    collectors: Sequence[Collector] = ()
    problems: Sequence[Callable[[], Iterable[str]]] = ()
    beside_rows: Sequence[CopiedBeside] = ()
    close: Callable[[], None] = lambda: None


ExtensionFactory = Callable[[Stores], Extension]
"""Makes an extension over the stores. When it raises, nothing that it opened stays open."""


def no_extension(_stores: Stores) -> Extension:
    """A registry alone."""
    return Extension()


def compose(makers: Iterable[Callable[[], Extension]]) -> Extension:
    """Several extensions as one: made in this order, closed in the reverse order.

    When one cannot be made, those before it are closed, and its error is raised.

    Raises:
        ValueError: two of them have a gate, derived content, or marks.
    """
    with ExitStack() as opened:
        parts: list[Extension] = []
        for make in makers:
            parts.append(make())
            opened.callback(parts[-1].close)
        return Extension(
            gate=_one_gate(parts),
            derived=_one_derived(parts),
            marks=_one_marks(parts),
            routes=partial(_routes, parts),
            ports=partial(_ports, parts),
            background=[work for part in parts for work in part.background],
            followers=[follower for part in parts for follower in part.followers],
            observers=[observer for part in parts for observer in part.observers],
            collectors=[collector for part in parts for collector in part.collectors],
            problems=[problem for part in parts for problem in part.problems],
            beside_rows=[each for part in parts for each in part.beside_rows],
            close=opened.pop_all().close,
        )


def _one_gate(parts: Sequence[Extension]) -> Gate | None:
    gates = [part.gate for part in parts if part.gate is not None]
    if len(gates) > 1:
        names = " and ".join(type(gate).__name__ for gate in gates)
        raise ValueError(f"the registry asks one gate, and {len(gates)} extensions bring one: {names}")
    return gates[0] if gates else None


def _one_derived(parts: Sequence[Extension]) -> DerivedContent | None:
    found = [part.derived for part in parts if part.derived is not None]
    if len(found) > 1:
        raise ValueError(f"the registry asks one for derived content, and {len(found)} extensions bring it")
    return found[0] if found else None


def _one_marks(parts: Sequence[Extension]) -> Marks | None:
    found = [part.marks for part in parts if part.marks is not None]
    if len(found) > 1:
        raise ValueError(f"the registry asks one for marks of manifests, and {len(found)} extensions give them")
    return found[0] if found else None


def _ports(parts: Sequence[Extension], services: Services) -> list[Port]:
    return [port for part in parts for port in part.ports(services)]


def _routes(parts: Sequence[Extension], services: Services) -> list[Row]:
    return [row for part in parts for row in part.routes(services)]

"""What owners ask of garbage: read beside the event loop, page by page."""

import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from registry.administration import garbage as acts
from registry.administration.garbage import Garbage
from registry.gate import OpenGate
from registry.maintenance.undo import NothingToUndo
from registry.metadata import garbage, retention, trash
from registry.oci.digest import Digest
from registry.oci.names import Tag
from tests.registry.open_services import PUSHER, REPOSITORY, OpenServices

Asked = Callable[[Garbage], Any]
QUESTIONS: dict[str, tuple[ModuleType, str, Asked]] = {
    "why content is kept": (retention, "explain", lambda asked: asked.explained(Digest.of(b"x"))),
    "the trash": (trash, "runs", lambda asked: asked.listed("")),
    "what is stale": (garbage, "stale_links", lambda asked: asked.planned(lambda _what, _done, _total: None)),
    "what came last": (trash, "find_run", lambda asked: asked.restored("gc-none")),
}


@pytest.fixture(name="services")
def _services(tmp_path: Path) -> Iterator[OpenServices]:
    """Three tags, each deleted by itself."""
    opened = OpenServices(tmp_path, lambda _storage, _metadata: OpenGate())
    for name in ("v1", "v2", "v3"):
        opened.run(opened.push_image(Tag(name)))
        opened.run(opened.manifests.delete(REPOSITORY, Tag(name), PUSHER))
    yield opened
    opened.close()


@pytest.fixture(name="asked")
def _asked(services: OpenServices) -> Garbage:
    return Garbage(services.collector, services.storage, services.metadata, services.settings)


@pytest.mark.parametrize("question", QUESTIONS)
def test_nobody_waits_for_it(
    services: OpenServices, asked: Garbage, monkeypatch: pytest.MonkeyPatch, question: str
) -> None:
    """It is read in another thread than that of the event loop."""
    module, name, ask = QUESTIONS[question]
    read, threads = getattr(module, name), []

    def watched(*arguments: Any) -> Any:
        threads.append(threading.current_thread())
        return read(*arguments)

    monkeypatch.setattr(module, name, watched)
    with suppress(NothingToUndo):
        services.run(ask(asked))
    assert threads
    assert threading.main_thread() not in threads


def test_the_trash_page_by_page(services: OpenServices, asked: Garbage, monkeypatch: pytest.MonkeyPatch) -> None:
    """The latest first, each run once."""
    whole = services.run(asked.listed(""))["runs"]
    monkeypatch.setattr(acts, "PAGE", 2)
    first = services.run(asked.listed(""))
    second = services.run(asked.listed(first["next"]))
    assert ([*first["runs"], *second["runs"]], second["next"]) == (whole, "")
    assert [run["time"] for run in whole] == sorted((run["time"] for run in whole), reverse=True)
    assert len(whole) == 3

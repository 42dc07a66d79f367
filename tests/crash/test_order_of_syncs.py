"""What makes a 201 survive a power failure: bytes, then names, then rows, each synced before the next."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection

from registry.oci.digest import Digest
from registry.oci.names import Tag
from tests.registry.open_services import OpenServices, image, open_services

CONTENT = b"content" * 1000
LARGE = b"content" * 10_000


class Trace:
    """The order of writes, syncs and renames: pairs of a call and the file or folder that it was made on."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, str]] = []

    @contextmanager
    def recording(self) -> Iterator[None]:
        """Until the block ends."""
        with pytest.MonkeyPatch.context() as patch:
            for name in ("pwritev", "write", "fdatasync", "fsync"):
                patch.setattr(os, name, self._on_descriptor(name, getattr(os, name)))
            patch.setattr(os, "rename", self._rename(os.rename))
            patch.setattr(os, "mkdir", self._mkdir(os.mkdir))
            yield

    def first(self, call: str, path: Path | str) -> int:
        """The place of the first such call."""
        return self.calls.index((call, str(path)))

    def last(self, call: str, path: Path | str) -> int:
        """The place of the last such call."""
        return len(self.calls) - 1 - self.calls[::-1].index((call, str(path)))

    def _on_descriptor(self, name: str, real: Callable[..., Any]) -> Callable[..., Any]:
        def traced(descriptor: int, *args: Any) -> Any:
            path = str(Path(f"/proc/self/fd/{descriptor}").readlink())
            result = real(descriptor, *args)
            self.calls.append((name, path))
            return result

        return traced

    def _rename(self, real: Callable[..., Any]) -> Callable[..., Any]:
        def traced(source: Any, target: Any) -> None:
            real(source, target)
            self.calls.append(("rename from", str(source)))
            self.calls.append(("rename to", str(target)))

        return traced

    def _mkdir(self, real: Callable[..., Any]) -> Callable[..., Any]:
        def traced(path: Any, *args: Any) -> None:
            real(path, *args)
            self.calls.append(("mkdir", str(path)))

        return traced


def watch_rows(services: OpenServices, trace: Trace, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have the trace say when a change is handed to the metadata."""
    real = services.metadata.write

    async def traced(*args: Any, **kwargs: Any) -> Any:
        trace.calls.append(("rows", ""))
        return await real(*args, **kwargs)

    monkeypatch.setattr(services.metadata, "write", traced)


@pytest.fixture
def traced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[OpenServices, Trace]]:
    """The services, and what they do to the disk."""
    trace = Trace()
    with open_services(tmp_path) as services:
        watch_rows(services, trace, monkeypatch)
        with trace.recording():
            yield services, trace


def file_of(services: OpenServices, content: bytes) -> Path:
    """Where a blob belongs."""
    encoded = Digest.of(content).encoded
    return services.data / "blobs" / "sha256" / encoded[:2] / encoded


def test_an_upload_is_synced_before_it_is_recorded(traced: tuple[OpenServices, Trace]) -> None:
    """Last byte, sync of the bytes, rename, sync of the folder, rows."""
    services, trace = traced
    services.run(services.push_blob(LARGE))
    target = file_of(services, LARGE)
    staging = next(path for call, path in trace.calls if call == "rename from")
    places = [
        trace.last("pwritev", staging),
        trace.last("fdatasync", staging),
        trace.first("rename to", target),
        trace.last("fsync", target.parent),
        trace.first("rows", ""),
    ]
    assert places == sorted(places)


def test_a_small_upload_is_synced_by_the_database_alone(traced: tuple[OpenServices, Trace]) -> None:
    """Its file is written inside the transaction that keeps its bytes, and not synced; nor are the log's two lines."""
    services, trace = traced
    services.run(services.push_blob(b"a folder comes first"))
    trace.calls.clear()
    services.run(services.push_blob(CONTENT))
    incoming = services.data / "incoming" / Digest.of(CONTENT).encoded
    line = ("write", str(services.data / "sessions.log"))
    steps = [line, ("rows", ""), ("write", str(incoming)), line]
    assert [call for call in trace.calls if call[0] != "mkdir"] == steps


def test_a_small_upload_without_journal_is_synced_before_it_is_recorded(traced: tuple[OpenServices, Trace]) -> None:
    """The same order as a large one, by a shorter way."""
    services, trace = traced
    services.configure(storage={"journal_bytes": 0})
    services.run(services.push_blob(CONTENT))
    target = file_of(services, CONTENT)
    incoming = next(path for call, path in trace.calls if call == "rename from")
    places = [
        trace.last("write", incoming),
        trace.last("fdatasync", incoming),
        trace.first("rename to", target),
        trace.last("fsync", target.parent),
        trace.first("rows", ""),
    ]
    assert places == sorted(places)


def test_a_manifest_is_one_transaction(traced: tuple[OpenServices, Trace]) -> None:
    """Its bytes are with its rows: there is no file that could be ahead of them or behind."""
    services, trace = traced
    services.run(services.push_image(Tag("v1")))
    trace.calls.clear()
    services.run(services.push_manifest(image(), Tag("v2")))
    assert trace.calls == [("rows", "")]


def test_a_new_folder_is_synced_before_it_is_used(traced: tuple[OpenServices, Trace]) -> None:
    """Made, its own name synced, then the blob's."""
    services, trace = traced
    services.configure(storage={"journal_bytes": 0})
    services.run(services.push_blob(CONTENT))
    folder = file_of(services, CONTENT).parent
    places = [
        trace.first("mkdir", folder),
        trace.first("fsync", folder.parent),
        trace.first("rename to", file_of(services, CONTENT)),
    ]
    assert places == sorted(places)


def test_a_blob_that_is_there_already_is_synced_all_the_same(traced: tuple[OpenServices, Trace]) -> None:
    """The first push of it might not have got to its own sync."""
    services, trace = traced
    services.configure(storage={"journal_bytes": 0})
    services.run(services.push_blob(CONTENT))
    trace.calls.clear()
    services.run(services.push_blob(CONTENT))
    assert trace.last("fsync", file_of(services, CONTENT).parent) < trace.first("rows", "")


def pragmas(connection: Connection) -> tuple[object, ...]:
    """What the writing connection promises."""
    names = ("synchronous", "journal_mode", "foreign_keys")
    return tuple(connection.exec_driver_sql(f"PRAGMA {name}").scalar_one() for name in names)


def test_rows_are_synced_by_the_database(traced: tuple[OpenServices, Trace]) -> None:
    """FULL (2): each commit syncs the write-ahead log."""
    services, _ = traced
    assert services.run(services.metadata.write(pragmas)) == (2, "wal", 1)

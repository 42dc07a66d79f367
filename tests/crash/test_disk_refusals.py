"""A disk that refuses at any step: a clear error, nothing half-written, and the store goes on when it recovers."""

import errno
import os
import resource
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection

from registry.metadata import repositories
from registry.oci.errors import (
    BlobUploadUnknown,
    OciError,
    StorageFull,
    Unavailable,
    document_of,
    status_of,
)
from registry.oci.names import RepositoryName, Tag
from tests.crash.aftermath import damaged, dangling
from tests.registry.open_services import PUSHER, REPOSITORY, OpenServices, open_services, pieces

STEPS = ("mkdir", "open", "pwritev", "write", "ftruncate", "fdatasync", "fsync", "rename", "link")


class Refusal:
    """Makes the n-th call of an `os` function that changes the disk fail."""

    def __init__(self, n: int, number: int) -> None:
        self._left = n
        self._number = number
        self._lock = threading.Lock()

    @property
    def happened(self) -> bool:
        """Whether there was such a call."""
        return self._left <= 0

    @contextmanager
    def in_force(self) -> Iterator[None]:
        """Until the block ends."""
        with pytest.MonkeyPatch.context() as patch:
            for name in STEPS:
                patch.setattr(os, name, self._wrap(getattr(os, name)))
            yield

    def _wrap(self, function: Callable[..., Any]) -> Callable[..., Any]:
        def counted(*args: Any, **kwargs: Any) -> Any:
            if function.__name__ == "write" and _is_session_log(args[0]):
                return function(*args, **kwargs)
            with self._lock:
                self._left -= 1
                refused = self._left == 0
            if refused:
                raise OSError(self._number, os.strerror(self._number))
            return function(*args, **kwargs)

        return counted


def _is_session_log(descriptor: int) -> bool:
    """Lines of this log that are refused once a session is over concern nobody; see the test of its first line."""
    return Path(f"/proc/self/fd/{descriptor}").readlink().name == "sessions.log"


def answer_to_push(services: OpenServices) -> OciError | None:
    """Push an image; the error that a client would get, or `None`."""
    try:
        services.run(services.push_image(Tag("v1"), [b"layer" * 1000, b"layer" * 20_000]))
    except OciError as error:
        return error
    return None


@pytest.mark.parametrize(("number", "status"), [(errno.ENOSPC, 507), (errno.EIO, 503), (errno.EDQUOT, 507)])
def test_a_refusal_at_any_step_is_a_clear_error(tmp_path: Path, number: int, status: int) -> None:
    """Step after step until a push needs no more of them; after each refusal the same push succeeds."""
    n = 0
    happened = True
    while happened:
        n += 1
        with open_services(tmp_path / str(n)) as services:
            refusal = Refusal(n, number)
            with refusal.in_force():
                error = answer_to_push(services)
            happened = refusal.happened
            assert (status_of(error) if error else None) == (status if happened else None), f"step {n}"
            assert damaged(services.data) == dangling(services) == []
            assert answer_to_push(services) is None
    assert n > 15


@pytest.mark.parametrize(("number", "kind"), [(errno.ENOSPC, StorageFull), (errno.EIO, Unavailable)])
def test_a_session_that_cannot_be_written_down_is_refused(
    tmp_path: Path, number: int, kind: type[OciError], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It counts for nothing, and the next one is opened; the end of one is no reason to refuse anything."""
    with open_services(tmp_path, uploads={"sessions_per_principal": 1}) as services:
        with Refusal(1, number).in_force(), pytest.raises(kind):
            services.run(services.uploads.start(REPOSITORY, PUSHER))
        session = services.run(services.uploads.start(REPOSITORY, PUSHER))
        monkeypatch.setattr(services.sessions, "_descriptor", os.open(tmp_path, os.O_RDONLY))
        services.run(services.uploads.cancel(session))


def test_a_refused_chunk_can_be_sent_again(tmp_path: Path) -> None:
    """The session stands where it stood, and the whole has the right digest in the end."""
    with open_services(tmp_path) as services:
        session = services.run(services.uploads.start(REPOSITORY, PUSHER))
        services.run(services.uploads.append(session, pieces(b"con"), 0, 3))
        with Refusal(1, errno.EIO).in_force(), pytest.raises(Unavailable):
            services.run(services.uploads.append(session, pieces(b"tent"), 3, 4))
        assert services.run(services.uploads.append(session, pieces(b"tent"), 3, 4)) == 7


@pytest.mark.parametrize("step", range(1, 3))
def test_a_full_disk_keeps_no_part_of_an_upload(tmp_path: Path, step: int) -> None:
    """Its bytes go at once, whether they were kept before or not, and the session is over."""
    with open_services(tmp_path) as services:
        session = services.run(services.uploads.start(REPOSITORY, PUSHER))
        if step > 1:
            services.run(services.uploads.append(session, pieces(b"con"), 0, 3))
        with Refusal(1 if step > 1 else 2, errno.ENOSPC).in_force(), pytest.raises(StorageFull):
            services.run(services.uploads.append(session, pieces(b"tent"), None, 4))
        with pytest.raises(BlobUploadUnknown):
            services.run(services.uploads.append(session, pieces(b"tent"), None, 4))
        assert [path for name in ("uploads", "incoming") for path in (tmp_path / name).iterdir()] == []


def test_a_real_limit_of_the_kernel_is_a_clear_error(tmp_path: Path) -> None:
    """A file that may not grow past 64 KiB: the upload is refused, a smaller one goes through."""
    with open_services(tmp_path) as services:
        services.run(services.push_blob(b"before"))
        soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (65_536, hard))
        try:
            with pytest.raises(StorageFull):
                services.run(services.push_blob(b"x" * 100_000))
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        assert damaged(tmp_path) == dangling(services) == []
        assert services.run(services.push_blob(b"x" * 100_000))


def limit_pages(connection: Connection) -> None:
    """Let the database not grow by a single page."""
    pages = connection.exec_driver_sql("PRAGMA page_count").scalar_one()
    connection.exec_driver_sql(f"PRAGMA max_page_count = {pages}")


def fill(connection: Connection) -> None:
    """Write more than fits."""
    for number in range(10_000):
        repositories.ensure(connection, RepositoryName(f"team/app{number}"), 1.0)


def test_a_full_database_is_a_clear_error(tmp_path: Path) -> None:
    """Nothing of the change remains, reads go on, and what waits beside it is told as well."""
    with open_services(tmp_path) as services:
        services.run(services.push_image(Tag("v1")))
        services.run(services.metadata.write(limit_pages))
        with pytest.raises(StorageFull) as caught:
            services.run(services.metadata.write(fill))
        assert services.run(services.catalog.page(lambda _name: True, None, "")).items == ("team/app",)
        assert document_of(caught.value)["errors"][0]["message"].startswith("the disk that holds the registry")
        assert isinstance(caught.value, Unavailable)
        assert services.run(services.tag_names()) == ("v1",)

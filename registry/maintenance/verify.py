"""Compares rows and files both ways, and repairs what can be repaired without guessing."""

import stat
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from registry.maintenance.snapshot import problems_of
from registry.metadata import contents, repairs
from registry.metadata.open_store import FILE_NAME
from registry.metadata.sqlite_store import SqliteStore
from registry.metadata.store import RowStore
from registry.oci.digest import ENCODED_LENGTH, Digest
from registry.oci.errors import OciError
from registry.oci.manifest import Manifest, parse_manifest
from registry.storage.blob_store import MaintainedStore

_PAGE = 200

Write = Callable[..., object]


@dataclass(frozen=True, slots=True)
class Finding:
    """One problem.

    Attributes:
        kind: database, manifest, reference, tag, blob or file.
        what: a sentence.
        repaired: whether it was repaired.
    """

    kind: str
    what: str
    repaired: bool = False


class Verification:
    """Verifies a data folder (blocking); the server may run.

    Args:
        storage: the blobs.
        metadata: the rows.
        data: the folder.
        write: makes a change to the rows; `None` to repair nothing.
        digests: whether to read every blob instead of comparing sizes.
    """

    def __init__(
        self, storage: MaintainedStore, metadata: RowStore, data: Path, write: Write | None, *, digests: bool = False
    ) -> None:
        self._storage = storage
        self._metadata = metadata
        self._data = data
        self._write = write
        self._digests = digests
        self.unreferenced = 0

    def findings(self) -> Iterator[Finding]:
        """The problems, one after the other."""
        broken = self._broken()
        yield from (Finding("database", problem) for problem in broken)
        if broken:
            return  # its rows prove nothing
        yield from self._manifests()
        yield from self._tags()
        yield from self._blobs()
        yield from self._files()

    def _broken(self) -> list[str]:
        """What is wrong with the database itself; a server of its own looks after its pages."""
        is_file = isinstance(self._metadata, SqliteStore)
        return problems_of(self._data / FILE_NAME) if is_file else self._metadata.problems()

    def _manifests(self) -> Iterator[Finding]:
        after = 0
        while page := self._metadata.read_now(repairs.manifest_rows_behind, after, _PAGE):
            for row in page:
                yield from self._manifest(row)
            after = page[-1].id

    def _manifest(self, row: repairs.StoredManifest) -> Iterator[Finding]:
        name = f"{row.repository}@{row.digest}"
        content = row.content
        if content is None or Digest.of(content, row.digest.algorithm) != row.digest:
            content = self._storage.read_whole(row.digest)
            if content is None:
                if self._metadata.read_now(repairs.is_recorded, row.id):
                    self._storage.quarantine.note_manifest(row.digest, row.content or b"", "its row has other bytes")
                    yield Finding("manifest", f"the bytes of {name} are damaged or lost: push it again")
                return
            if row.content is not None:
                repaired = self._repair(repairs.put_content, row.id, content)
                yield Finding("manifest", f"the row of {name} had other bytes than the store", repaired)
        manifest = _parsed(content, row.media_type)
        if manifest is None:
            yield Finding("manifest", f"{name} is no manifest that this basegate can read")
            return
        if not self._metadata.read_now(repairs.row_fits, row.id, manifest, len(content)):
            repaired = self._repair(repairs.write_row, row.id, manifest, len(content))
            yield Finding("manifest", f"the row of {name} tells something else than its bytes", repaired)
        for digest in self._metadata.read_now(repairs.unlinked, row.id):
            size = self._storage.size_of(digest)
            repaired = size is not None and self._repair(repairs.link, row.id, digest, size)
            where = "is there, and the repository does not show it" if size is not None else "is missing"
            yield Finding("reference", f"{name} names {digest}, which {where}", repaired)

    def _tags(self) -> Iterator[Finding]:
        for repository, tag, digest in self._metadata.read_now(repairs.dangling_tags):
            repaired = self._repair(repairs.drop_tag, repository, tag)
            yield Finding("tag", f"tag {repository}:{tag} points at {digest}, which is not there", repaired)

    def _blobs(self) -> Iterator[Finding]:
        after = ""
        while page := self._metadata.read_now(contents.shown_blobs, after, _PAGE):
            sizes = self._metadata.read_now(contents.sizes, page)
            for digest in page:
                yield from self._blob(digest, sizes.get(digest, set()))
            after = page[-1]

    def _blob(self, digest: Digest, recorded: set[int]) -> Iterator[Finding]:
        size = self._storage.size_of(digest)
        if size is None:
            if self._metadata.read_now(contents.still_shown, [digest]):
                self._storage.quarantine.note_missing(digest)
                yield Finding("blob", f"blob {digest} is missing: push it again", self._recovered(digest))
            return
        if recorded == {size} and not self._digests:
            return
        if not self._storage.scrub(digest, lambda _bytes: None)[1]:
            yield Finding("blob", f"blob {digest} is damaged, and set aside: push it again", self._recovered(digest))
        elif recorded and recorded != {size}:
            repaired = self._repair(repairs.put_size, digest, size)
            yield Finding("blob", f"rows tell of another size of blob {digest} than its {size} bytes", repaired)

    def _recovered(self, digest: Digest) -> bool:
        """Restore a blob from the trash; returns whether that was possible."""
        return self._write is not None and self._storage.trash.recover(digest)

    def _files(self) -> Iterator[Finding]:
        for path in sorted((self._data / "blobs").glob("*/*/*")):
            problem = _misplaced(path)
            if problem:
                yield Finding("file", f"{path.relative_to(self._data)} {problem}", self._removed(path, problem))
        digests = self._storage.digests("")
        while some := list(islice(digests, _PAGE)):
            self.unreferenced += len(some) - len(self._metadata.read_now(repairs.known, some))

    def _removed(self, path: Path, problem: str) -> bool:
        if self._write is None:
            return False
        if problem == _WRITABLE:
            path.chmod(0o444)
        else:
            path.rename(self._data / "discarded" / path.name)
        return True

    def _repair(self, change: Callable[..., object], *arguments: object) -> bool:
        if self._write is None:
            return False
        self._write(change, *arguments)
        return True


_WRITABLE = "can be written"


def _misplaced(path: Path) -> str:
    """The problem with a file's name, kind or mode; "" for none."""
    algorithm, prefix, name = path.parts[-3:]
    mode = path.lstat().st_mode
    if not stat.S_ISREG(mode):
        return "is no file"
    if len(name) != ENCODED_LENGTH.get(algorithm) or not name.startswith(prefix) or set(name) - set("0123456789abcdef"):
        return "is not named by a digest"
    return _WRITABLE if mode & 0o222 else ""


def _parsed(content: bytes, media_type: str) -> Manifest | None:
    """Parse a manifest with the media type of its row, else with its own; `None` when neither works."""
    for kind in (media_type, ""):
        with suppress(OciError):
            return parse_manifest(content, kind)
    return None

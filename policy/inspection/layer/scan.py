"""Reads one layer once: its bytes become a structural index and the records of the files that detectors want."""

import hashlib
import re
import time
from collections.abc import Callable, Iterator, Mapping
from functools import partial

from policy.inspection.archive.compression import Meter, Source, uncompressed
from policy.inspection.archive.names import cleaned, shown
from policy.inspection.archive.pieces import Pieces
from policy.inspection.archive.tar import (
    CHARACTER_DEVICE,
    DIRECTORY,
    FILE,
    LINK,
    SYMLINK,
    Member,
    Members,
    number,
)
from policy.inspection.archive.tee import read_by_all
from policy.inspection.budgets import Budgets, LayerRefused, hostile, over_budget
from policy.inspection.detectors import DETECTORS, Detector, Unreadable, names
from policy.inspection.detectors.os_release import OS_RELEASE, SNIFFED
from policy.inspection.facts import Problem
from policy.inspection.layer.extended_attributes import has_access_list, has_capabilities, refuse_overlay_attributes
from policy.inspection.layer.path_table import Table
from policy.inspection.layer.permissions import CAPABLE, Access, is_usual_directory, is_usual_file
from policy.inspection.layer.records import VALUE_LIMIT, Record
from policy.inspection.layer.report import LayerInspection
from policy.inspection.layer.tree import IMPLICIT, OPAQUE, WHITEOUT, LayerTree

SNIFF_LIMIT = 8 * 1024
"""Files up to this size, of any name, are searched for the keys of os-release."""
_LINK_MAXIMUM = 4095
_AUFS = b".wh..wh."
_ROOTS_UID = b"0000000\0"
_UID = slice(108, 116)
_MAGIC_AT = 257
_DEVICE_NUMBERS = (slice(329, 337), slice(337, 345))


def scan_layer(
    source: Source,
    digest: str,
    detectors: tuple[Detector, ...] = DETECTORS,
    budgets: Budgets | None = None,
    beside: Callable[[], None] | None = None,
) -> LayerInspection:
    """Read a layer to its end.

    Args:
        source: the blob's bytes; exceptions of its `read` are passed on.
        digest: the blob's digest, only recorded: the caller verifies it.
        detectors: the detectors to run.
        budgets: the limits; the defaults when `None`.
        beside: called now and then, in a thread that does not read `source`.

    Returns:
        The inspection; for a damaged, hostile or oversized layer, one with a problem.
    """
    granted = budgets or Budgets()
    meter = Meter(granted)
    scan = _Scan(detectors, granted)
    hashed = hashlib.sha256()
    inspection = partial(LayerInspection, digest=digest, detectors=names(detectors))
    try:
        stream = _timed(uncompressed(source, meter), granted.cpu_seconds)
        read_by_all(stream, scan.run, _followed(hashed.update, beside))
    except LayerRefused as refused:
        problem = Problem(refused.reason, refused.message, digest)
        return inspection(problem=problem, compressed=meter.compressed, compression=meter.compression)
    except MemoryError:
        problem = Problem("budget", "the layer needs more memory than an inspection is given", digest)
        return inspection(problem=problem, compressed=meter.compressed, compression=meter.compression)
    return inspection(
        diff_id=f"sha256:{hashed.hexdigest()}",
        compressed=meter.compressed,
        uncompressed=meter.uncompressed,
        compression=meter.compression,
        members=scan.members,
        table=Table.of(scan.tree.entries),
        access=Table.of(scan.tree.access),
        access_list=scan.access_list,
        records=scan.records,
        named=tuple(sorted(scan.named)),
        links=tuple(sorted(path for path, entry in scan.tree.entries.items() if entry.startswith((b"l", b"h")))),
        implicit=tuple(sorted(path for path, entry in scan.tree.entries.items() if entry in IMPLICIT)),
        outside=tuple(sorted(path for path, entry in scan.tree.entries.items() if entry.startswith(b"h"))),
        merging=tuple(sorted(path for path, entry in scan.tree.entries.items() if entry == b"m")),
        late=tuple(sorted(scan.tree.late)),
    )


def _followed(update: Callable[[bytes], None], then: Callable[[], None] | None) -> Callable[[bytes], None]:
    """A function that calls both, `then` last."""
    if then is None:
        return update

    def both(piece: bytes) -> None:
        update(piece)
        then()

    return both


def _timed(pieces: Iterator[bytes], seconds: float) -> Iterator[bytes]:
    started = time.thread_time()
    for piece in pieces:
        if time.thread_time() - started > seconds:
            raise over_budget(f"reading the layer takes more than {seconds:g} seconds of processor time")
        yield piece


class _Scan:
    """One pass over an archive."""

    def __init__(self, detectors: tuple[Detector, ...], budgets: Budgets) -> None:
        self.tree = LayerTree(budgets)
        self.records: dict[bytes, Record] = {}
        self.named: set[bytes] = set()
        self.members = 0
        self.access_list = b""
        self._budgets = budgets
        self._detectors = detectors
        self._wanted = re.compile(b"|".join(b"(" + item.wanted + b")" for item in detectors), re.DOTALL).fullmatch

    def run(self, pieces: Iterator[bytes]) -> None:
        """Apply every member in order, then finish the tree."""
        tree = self.tree
        stream = Pieces(_timed(pieces, self._budgets.cpu_seconds))
        members = Members(stream, self._budgets, lambda name: tree.refuse_global(cleaned(name)))
        for member in members:
            name = member.name = cleaned(member.name)
            if member.attributed:
                self._attributes(member)
            if name.startswith(_AUFS) and name != OPAQUE:
                tree.skip(name)
                continue
            home, base = tree.home(name)
            if base.startswith(WHITEOUT) and tree.whiteout(home, base):
                continue
            place = home + b"/" + base if home else base
            kind = member.kind
            if kind == FILE:
                self._file(place, base, member, members)
            elif kind == DIRECTORY:
                tree.directory(name, place)
                self._forget(place)
                if not is_usual_directory(member.mode):
                    tree.access[place] = bytes(_access(member))
            else:
                self._special(place, base, member)
        self.members = members.count
        tree.finish()

    def _attributes(self, member: Member) -> None:
        records = member.pax or {}
        refuse_overlay_attributes(records, member.name)
        if not self.access_list and has_access_list(records):
            self.access_list = member.name or b"."
        if has_capabilities(records):
            member.mode |= CAPABLE

    def _file(self, place: bytes, base: bytes, member: Member, members: Members) -> None:
        letter = b"x" if member.mode & 0o111 else b"f"
        self._put(member, place, b"%b%d" % (letter, member.size))
        if not is_usual_file(member.mode):
            self.tree.access[place] = bytes(_access(member))
        detector = self._wanting(place, base)
        if detector is not None:
            self._keep(place, self._read(detector, place, member, members))
        elif 0 < member.stored <= SNIFF_LIMIT and self._sniffed(member, members):
            record = self._read(OS_RELEASE, place, member, members)
            if record.values:
                self._keep(place, record)

    def _wanting(self, place: bytes, base: bytes) -> Detector | None:
        """The detector for the file at this path, if any."""
        match = self._wanted(base)
        if not match or not match.lastindex:
            return None
        detector = self._detectors[match.lastindex - 1]
        if detector.parent and place != detector.parent + b"/" + base:
            return None
        return detector if not detector.where or re.fullmatch(detector.where, place, re.DOTALL) else None

    def _sniffed(self, member: Member, members: Members) -> bool:
        """Whether a small file of any name may be an os-release; True also when it spans two pieces."""
        return members.holds(member.stored, SNIFFED) is not False

    def _special(self, place: bytes, base: bytes, member: Member) -> None:
        if member.kind == SYMLINK:
            self._symbolic_link(place, member)
        elif member.kind == LINK:
            source, purge = self.tree.hard_link(member.name, place, cleaned(member.link), _access(member))
            if source != place:
                self._forget(place, purge=purge)
                self._share(place, source)
        else:
            self._put(member, place, b"o0" if _is_overlay_whiteout(member) else b"o")
        if base == b"conda-meta" or self._wanting(place, base):
            self.named.add(place)

    def _symbolic_link(self, place: bytes, member: Member) -> None:
        if not 0 < len(member.link) <= _LINK_MAXIMUM:
            size = len(member.link)
            raise hostile(f"link {shown(place)!r} has a target of {size} bytes: no system has such links")
        self._put(member, place, b"l" + member.link)
        # The owner of a link only matters in a sticky directory.
        if (member.pax or member.header[_UID] != _ROOTS_UID) and member.owner[0]:
            self.tree.access[place] = bytes(_access(member))

    def _put(self, member: Member, place: bytes, entry: bytes) -> None:
        self._forget(place, purge=self.tree.put(member.name, place, entry))

    def _forget(self, place: bytes, *, purge: bool = False) -> None:
        """Drop the records of a path that was replaced."""
        self.records.pop(place, None)
        self.named.discard(place)
        if purge:
            entries = self.tree.entries
            self.records = {path: record for path, record in self.records.items() if path in entries}
            self.named = {path for path in self.named if path in entries}

    def _share(self, path: bytes, target: bytes) -> None:
        if target in self.records:
            self._keep(path, self.records[target])

    def _keep(self, place: bytes, record: Record) -> None:
        self.records[place] = record
        if len(self.records) > self._budgets.records:
            raise over_budget(f"the layer has more than {self._budgets.records} files that detectors want")

    def _read(self, detector: Detector, place: bytes, member: Member, members: Members) -> Record:
        limit = detector.limit or self._budgets.body_bytes
        stored = member.stored
        trouble = ""
        if member.size > limit:
            trouble = "" if detector.beginning and not member.sparse else f"it is larger than {limit} bytes"
            stored = 0 if trouble else limit
        body = members.body(stored)
        digest = hashlib.sha256(body).hexdigest() if stored else ""
        whole = member.sparse.expanded(body) if member.sparse and not trouble else body
        values: Mapping[str, str] = {}
        if not trouble:
            values, trouble = _values(detector, whole)
        return Record(detector.name, place, member.offset, stored, member.size, digest, values, trouble)


def _values(detector: Detector, body: bytes) -> tuple[Mapping[str, str], str]:
    try:
        values = detector.read(body)
    except Unreadable as error:
        return {}, str(error)[:300]
    if any(len(value) > VALUE_LIMIT for value in values.values()):
        return {}, f"a value in it is longer than {VALUE_LIMIT} characters"
    return values, ""


def _access(member: Member) -> Access:
    uid, gid = member.owner
    return Access(member.mode & (0o7777 | CAPABLE), uid, gid)


def _is_overlay_whiteout(member: Member) -> bool:
    """Whether it is the character device 0/0, overlayfs's own whiteout."""
    if member.kind != CHARACTER_DEVICE or not member.header.startswith(b"ustar", _MAGIC_AT):
        return member.kind == CHARACTER_DEVICE
    return not any(number(member.header[field]) for field in _DEVICE_NUMBERS)

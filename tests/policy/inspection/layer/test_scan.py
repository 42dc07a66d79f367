"""One layer read once: however it comes, the same inspection, in a form that lasts."""

import io
import threading
from collections.abc import Iterator
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from policy.inspection.archive.pieces import Pieces
from policy.inspection.archive.tar import Members
from policy.inspection.budgets import Budgets
from policy.inspection.detectors import DETECTORS, names
from policy.inspection.layer.report import LayerInspection
from policy.inspection.layer.scan import scan_layer
from tests.corpus.builders import ZSTD, inspect, layer, packed
from tests.corpus.case import good
from tests.corpus.systems import os_release
from tests.corpus.tarballs import Entry, file, link, tar

LONG = [*good(), *(file(f"big/{number}", bytes([number]) * 700_000) for number in range(12))]


def pieces(raw: bytes, cuts: list[int]) -> Iterator[bytes]:
    """An archive cut at these places."""
    places = sorted({cut % len(raw) for cut in cuts} | {0, len(raw)})
    yield from (raw[start:end] for start, end in pairwise(places))


@settings(max_examples=80, deadline=None)
@given(st.lists(st.integers(0, 1 << 20), max_size=30))
def test_cuts_in_the_stream_do_not_matter(cuts: list[int]) -> None:
    """Headers and bodies may be cut anywhere."""
    raw = tar(*good())
    found = [
        (m.name, m.kind, m.mode, m.link, m.offset, m.stored) for m in Members(Pieces(pieces(raw, cuts)), Budgets())
    ]
    whole = [(m.name, m.kind, m.mode, m.link, m.offset, m.stored) for m in Members(Pieces(iter([raw])), Budgets())]
    assert found == whole


def test_inspection_survives_storage() -> None:
    """What is read back equals what was written, and writing it again gives the same bytes."""
    made = layer(*good(), media_type=ZSTD)
    found = scan_layer(io.BytesIO(made.blob), str(made.digest))
    again = LayerInspection.from_bytes(found.to_bytes())
    assert again == found
    assert again.to_bytes() == found.to_bytes()


def test_problem_survives_storage() -> None:
    """A damaged layer is remembered with its reason."""
    found = inspect(packed(b"junk" * 200))
    assert found.problem is not None
    assert (found.problem.reason, found.problem.layer) == ("damaged-layer", found.digest)


@pytest.mark.parametrize("raw", [b"", b"BGL0", b"something else"])
def test_other_formats_are_refused(raw: bytes) -> None:
    """An inspection of another version is not guessed at."""
    with pytest.raises(ValueError, match="read again"):
        LayerInspection.from_bytes(raw)


def test_long_layer_equals_itself_read_in_one_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    """Threads change nothing but the time; where none can be started, one does it all."""
    made = layer(*LONG)
    beside = inspect(made)

    def no_threads(_self: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", no_threads)
    assert inspect(made) == beside
    assert beside.diff_id == made.diff_id


def test_damage_in_a_long_layer_ends_its_threads() -> None:
    """Neither damage in the stream nor in the archive leaves a thread behind."""
    blob = layer(*LONG).blob
    cut = scan_layer(io.BytesIO(blob[: len(blob) * 9 // 10]), "sha256:0")
    bad = inspect(layer(*LONG[:-6], Entry("x", checksum=b"000000\0 "), *LONG[-6:]))
    assert cut.problem is not None
    assert bad.problem is not None
    assert "layer-reader" not in {thread.name for thread in threading.enumerate()}


def test_source_errors_come_through() -> None:
    """A source that fails is not a damaged layer."""

    class Broken:
        def read(self, _size: int, /) -> bytes:
            raise OSError("disk on fire")

    with pytest.raises(OSError, match="disk on fire"):
        scan_layer(Broken(), "sha256:0")


def test_detectors_are_part_of_the_key() -> None:
    """An inspection says what looked; a newer version of one detector has another key."""
    newer = names((*DETECTORS[:-1],))
    assert inspect(layer()).detectors == names(DETECTORS) != newer


def test_record_names_the_place_of_its_bytes() -> None:
    """Offset, length and digest point at the body in the uncompressed stream."""
    raw = tar(file("etc/os-release", os_release()))
    record = inspect(packed(raw)).records[b"etc/os-release"]
    assert raw[record.offset : record.offset + record.stored] == os_release().encode()


def test_small_files_of_any_name_are_searched_for_a_version() -> None:
    """A link may lead anywhere: what looks like an os-release is kept, other small files are not."""
    found = inspect(layer(file("weird/one", os_release()), file("weird/two", "NAME=x\n" * 40)))
    assert set(found.records) == {b"weird/one"}


def test_links_with_wanted_names_are_kept() -> None:
    """They are candidates even though they have no bytes."""
    found = inspect(layer(link("opt/x/bin/python3.6", "python"), link("opt/x/conda-meta", "/y"), link("opt/z", "x")))
    assert found.named == (b"opt/x/bin/python3.6", b"opt/x/conda-meta")

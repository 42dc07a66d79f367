"""Upload sessions against a model: any order of appends, wrong appends, restarts and ends."""

import contextlib
import tempfile
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, invariant, rule

from registry.oci.digest import Digest
from registry.oci.errors import BlobUploadUnknown, DigestInvalid, RangeNotSatisfiable, SizeInvalid
from tests.registry.open_services import PUSHER, REPOSITORY, open_services, pieces

CHUNKS = st.lists(st.binary(max_size=40), max_size=3)


class UploadMachine(RuleBasedStateMachine):
    """The model: the bytes of each open session, and the blobs that were made."""

    sessions = Bundle("sessions")

    def __init__(self) -> None:
        super().__init__()
        self.stack = contextlib.ExitStack()
        self.folder = Path(self.stack.enter_context(tempfile.TemporaryDirectory()))
        self.services = self.stack.enter_context(open_services(self.folder))
        self.open: dict[str, bytes] = {}
        self.staged: set[str] = set()
        self.made: set[bytes] = set()

    def teardown(self) -> None:
        """Let go of the folder."""
        self.stack.close()

    @rule(target=sessions, algorithm=st.sampled_from(["sha256", "sha512"]))
    def start(self, algorithm: str) -> str:
        """A new session is empty."""
        session = self.services.run(self.services.uploads.start(REPOSITORY, PUSHER, algorithm))
        self.open[session.id] = b""
        return session.id

    @rule(upload=sessions, chunks=CHUNKS, shift=st.integers(-1, 1), excess=st.integers(-1, 1), said=st.booleans())
    def append(self, upload: str, chunks: list[bytes], shift: int, excess: int, said: bool) -> None:
        """Bytes count when place and length, where given, are right; otherwise nothing changes."""
        whole = b"".join(chunks)
        start = max(len(self.open[upload]) + shift, 0) if said else None
        length = max(len(whole) + excess, 0) if said else None
        session = self.services.run(self.services.uploads.session(REPOSITORY, upload))
        work = self.services.uploads.append(session, pieces(*chunks), start, length)
        if start not in {None, len(self.open[upload])}:
            self.refuses(work, RangeNotSatisfiable)
            return
        self.staged.add(upload)
        if length not in {None, len(whole)}:
            self.refuses(work, SizeInvalid)
        else:
            self.open[upload] += whole
            assert self.services.run(work) == len(self.open[upload])

    @rule(upload=consumes(sessions), algorithm=st.sampled_from(["sha256", "sha512"]), last=st.binary(max_size=10))
    def finish(self, upload: str, algorithm: str, last: bytes) -> None:
        """The blob has all bytes; the session is over."""
        content = self.open.pop(upload) + last
        session = self.services.run(self.services.uploads.session(REPOSITORY, upload))
        digest = Digest.of(content, algorithm)
        blob = self.services.run(self.services.uploads.finish(session, digest, pieces(last), None, len(last)))
        assert blob.path is not None
        assert blob.path.read_bytes() == content
        self.made.add(content)
        self.is_over(upload)

    @rule(upload=consumes(sessions))
    def finish_wrongly(self, upload: str) -> None:
        """A wrong digest ends the session, too."""
        content = self.open.pop(upload)
        session = self.services.run(self.services.uploads.session(REPOSITORY, upload))
        self.refuses(self.services.uploads.finish(session, Digest.of(content + b"!"), pieces(), None, 0), DigestInvalid)
        self.is_over(upload)

    @rule(upload=consumes(sessions))
    def cancel(self, upload: str) -> None:
        """As does a cancel."""
        self.open.pop(upload)
        session = self.services.run(self.services.uploads.session(REPOSITORY, upload))
        self.services.run(self.services.uploads.cancel(session))
        self.is_over(upload)

    @rule()
    def restart(self) -> None:
        """Another process goes on with all of them, those without a byte too."""
        self.services.close()
        self.services = self.stack.enter_context(open_services(self.folder))

    @invariant()
    def sizes_agree(self) -> None:
        """Every open session stands where the model does, and no other is left on the disk."""
        sizes = {
            upload: self.services.run(self.services.uploads.session(REPOSITORY, upload)).size for upload in self.open
        }
        assert sizes == {upload: len(content) for upload, content in self.open.items()}
        assert {path.name for path in (self.folder / "uploads").iterdir()} == self.staged & set(self.open)

    def refuses(self, work: object, kind: type[Exception]) -> None:
        """The work ends in this error."""
        try:
            self.services.run(work)  # type: ignore[arg-type]
        except kind:
            return
        raise AssertionError(f"expected {kind.__name__}")

    def is_over(self, upload: str) -> None:
        """The session is unknown."""
        self.refuses(self.services.uploads.session(REPOSITORY, upload), BlobUploadUnknown)


TestUploads = UploadMachine.TestCase
TestUploads.settings = settings(max_examples=20, stateful_step_count=20, deadline=None)

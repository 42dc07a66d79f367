"""The upload sessions that are open, by id and by who opened them."""

from collections import Counter
from collections.abc import Iterator

from registry.content.upload_session import UploadSession
from registry.oci.errors import Unavailable

RETRY_SECONDS = 60


class OpenUploads:
    """The sessions of this process, and a count of those an earlier one left; for the event loop's thread."""

    def __init__(self) -> None:
        self._sessions: dict[str, UploadSession] = {}
        self._earlier: dict[str, str] = {}
        self._looked_at: set[str] = set()
        self._by_principal: Counter[str] = Counter()

    def __iter__(self) -> Iterator[UploadSession]:
        """The sessions that this process holds."""
        return iter(list(self._sessions.values()))

    def __len__(self) -> int:
        """How many are counted, those that an earlier process left among them."""
        return len(self._sessions) + len(self._earlier) - len(self._looked_at)

    @property
    def running(self) -> int:
        """How many of them a request works on now."""
        return sum(session.claim.taken for session in self._sessions.values())

    def get(self, upload: str) -> UploadSession | None:
        """The session with this id, if this process holds it."""
        return self._sessions.get(upload)

    def knows(self, upload: str) -> bool:
        """Whether the session is counted."""
        return upload in self._sessions or upload in self._earlier

    def require_room(self, principal: str, maximum: int) -> None:
        """Raise Unavailable when a principal has as many sessions as allowed; 0: no limit."""
        if 0 < maximum <= self._by_principal[principal]:
            raise too_many_open(maximum)

    def add(self, session: UploadSession) -> UploadSession:
        """Hold a session, and count it; returns the one with its id that is held already, if any."""
        held = self.look_at(session)
        if held.id in self._looked_at:
            self._looked_at.remove(held.id)
            self._by_principal[held.principal_id] += 1
        return held

    def look_at(self, session: UploadSession) -> UploadSession:
        """Hold a session without counting it before it is added; returns the one that is held already, if any."""
        open_already = self._sessions.get(session.id)
        if open_already is not None:
            return open_already
        self.forget(session.id)
        self._sessions[session.id] = session
        self._looked_at.add(session.id)
        return session

    def add_earlier(self, upload: str, principal: str) -> None:
        """Count a session that is on disk only."""
        if not self.knows(upload):
            self._earlier[upload] = principal
            self._by_principal[principal] += 1

    def forget(self, upload: str) -> None:
        """Stop counting a session that has ended."""
        session = self._sessions.pop(upload, None)
        earlier = self._earlier.pop(upload, None)
        principal = earlier if session is None else session.principal_id
        if upload in self._looked_at:
            self._looked_at.remove(upload)
        elif principal is not None:
            self._by_principal[principal] -= 1
            if not self._by_principal[principal]:
                del self._by_principal[principal]


def too_many_open(maximum: int) -> Unavailable:
    """503 for one more than a principal may have."""
    return Unavailable(
        f"you have {maximum} uploads open, as many as you may: finish some, or cancel them (DELETE)",
        {"maximum": maximum},
        {"Retry-After": str(RETRY_SECONDS)},
    )

"""Who may read, execute and search a member: its mode bits and owner, recorded only when they are not the usual ones.

Usual are: a file that everybody may read and that everybody or nobody may execute, without privileges; a directory that
everybody may search and that is not sticky; a link that root owns. A note is `MODE UID GID`, the mode in octal.
Sources: POSIX.1-2017 4.5, "File Access Permissions"; Linux, Documentation/admin-guide/sysctl/fs.rst,
"protected_symlinks".
"""

from dataclasses import dataclass

READ = 4
EXECUTE = 1
"""For a directory: search."""
_EVERYBODY_EXECUTES = 0o111
_USUAL_FILES = frozenset({0o444, 0o555})
CAPABLE = 0o10000
"""A flag beside the mode bits: the file has capabilities (capabilities(7))."""
_PRIVILEGED = 0o6000 | CAPABLE
_STICKY = 0o1000
_WRITABLE_BY_ALL = 0o002


@dataclass(frozen=True, slots=True)
class Access:
    """Mode bits and owner of a file or directory."""

    mode: int
    uid: int = 0
    gid: int = 0

    def __bytes__(self) -> bytes:
        """The note on mode and owner."""
        return b"%o %d %d" % (self.mode, self.uid, self.gid)

    @classmethod
    def of(cls, note: bytes) -> "Access":
        """Read a note."""
        mode, uid, gid = note.split()
        return cls(int(mode, 8), int(uid), int(gid))

    @property
    def note_of_file(self) -> bytes:
        """The note of a file; b"" when mode and owner are the usual ones."""
        return b"" if is_usual_file(self.mode) else bytes(self)

    def is_alike(self, other: "Access") -> bool:
        """Whether both grant the same."""
        if is_usual_file(self.mode) and is_usual_file(other.mode):
            return self.mode & 0o555 == other.mode & 0o555
        return self == other

    @property
    def is_privileged(self) -> bool:
        """Whether the program runs with another identity or more capabilities than its caller."""
        return bool(self.mode & _PRIVILEGED)

    @property
    def is_sticky_for_all(self) -> bool:
        """Whether it is a sticky directory that everybody may write to: the host decides which links are followed."""
        return bool(self.mode & _STICKY and self.mode & _WRITABLE_BY_ALL)


def is_usual_file(mode: int) -> bool:
    """Whether everybody may read a file, and everybody or nobody execute it, without privileges."""
    return mode & (0o555 | _PRIVILEGED) in _USUAL_FILES


def is_usual_directory(mode: int) -> bool:
    """Whether everybody may search a directory, and it is not sticky."""
    return mode & (_STICKY | _EVERYBODY_EXECUTES) == _EVERYBODY_EXECUTES


@dataclass(frozen=True, slots=True)
class Identity:
    """The user and groups that the image's programs run as.

    Attributes:
        uid: user; 0 may read and search everything, and execute what anybody may.
        gids: group and supplementary groups.
    """

    uid: int = 0
    gids: frozenset[int] = frozenset({0})

    @property
    def is_root(self) -> bool:
        """Whether it is root, which runtimes give CAP_DAC_OVERRIDE: mode bits hardly matter."""
        return self.uid == 0

    def may(self, wanted: int, access: Access, *, directory: bool = False) -> bool:
        """Whether the mode bits grant READ or EXECUTE."""
        if self.is_root:
            return wanted == READ or directory or bool(access.mode & _EVERYBODY_EXECUTES)
        if self.uid == access.uid:
            return bool(access.mode >> 6 & wanted)
        if access.gid in self.gids:
            return bool(access.mode >> 3 & wanted)
        return bool(access.mode & wanted)

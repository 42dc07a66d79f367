"""The Pythons of an image: the one that its PATH reaches, and that of Conda's base prefix beside it."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from policy.inspection.archive.names import shown
from policy.inspection.facts import Evidence, Fact
from policy.inspection.image.conda import FALLBACK, Installed, installed
from policy.inspection.image.merged_root import Node, RootUnclear
from policy.inspection.image.view import ImageView, from_root, in_package_cache, joined, parent
from policy.inspection.layer.records import Record

_NAMED = re.compile(rb"python([0-9])\.([0-9]{1,2})[a-z]{0,4}")
_SERIES = re.compile(rb"python([0-9])\.([0-9]{1,2})[a-z]{0,4}(?:[._-].*)?", re.DOTALL)
_HEADER = re.compile(rb"patchlevel\.h")
_LIBRARY = re.compile(rb"libpython[0-9.]{1,8}[a-z]{0,4}\.so[0-9.]{0,8}")
_LAUNCHERS = (b"python", b"python3")

Finding = tuple[str, Evidence]


def series(version: str) -> str:
    """`3.6` of `3.6.5`."""
    return ".".join(version.split(".")[:2])


def series_in_name(path: bytes) -> str:
    """`3.6` of `usr/bin/python3.6m` and `python3.6-real`; "" when the name has none."""
    found = _SERIES.fullmatch(path.rpartition(b"/")[2])
    return f"{int(found[1])}.{int(found[2])}" if found else ""


def _is_program(node: Node) -> bool:
    """Whether a file is known to be an ELF program."""
    return node.record is not None and node.record.values.get("format") == "elf"


@dataclass(frozen=True, slots=True)
class Launcher:
    """What starts a Python.

    Attributes:
        node: the program, links followed.
        path: where it was found: `bin/python` of a prefix, or the place on PATH.
        links: links that were followed from there.
    """

    node: Node
    path: bytes
    links: tuple[Node, ...] = ()

    @property
    def home(self) -> bytes:
        """The prefix that the program itself lies in."""
        return parent(parent(self.node.path))

    @property
    def link_out(self) -> bytes:
        """The last link on the way whose own prefix is another than the program's; b"" when there is none."""
        return next((link.path for link in reversed(self.links) if parent(parent(link.path)) != self.home), b"")


class Interpreter:
    """One Python program, and everything that tells its version, best first.

    What lies in another prefix than the program's own says nothing of it; but a virtual environment does, which is made
    of a link to the program (PEP 405).
    """

    def __init__(self, look: ImageView, launcher: Launcher) -> None:
        self._look = look
        self.launcher = launcher
        self.node = launcher.node
        self.series = series_in_name(launcher.node.path)
        self.prefixes = tuple(dict.fromkeys([launcher.home, parent(parent(launcher.path))]))

    def versions(self) -> list[Finding]:
        """Full versions from the first source that has any of the program's series; else the series from its name."""
        for source in (self._conda, self._headers, self._packages, self._environment, self._bytes):
            found = [item for item in source() if not self.series or series(item[0]) == self.series]
            if found:
                return list({item[0]: item for item in found}.values())
        return [(self.series, self._look.seen(self.node, self.series))] if self.series else []

    @property
    def carried(self) -> list[str]:
        """The versions that the program's own bytes carry."""
        return self.node.record.values.get("versions", "").split() if self.node.record else []

    def _conda(self) -> list[Finding]:
        return [_of(self._look, item) for item in valid(self._look, self.launcher.home)]

    def _headers(self) -> list[Finding]:
        home = self._look.root.find(joined(self.launcher.home, b"include"))
        wanted = {home.path} if home is not None else set()
        found = []
        for _, path in self._look.visible(_HEADER):
            folder = parent(path)
            node = self._look.root.find(path) if parent(folder) in wanted and series_in_name(folder) else None
            if node is not None and node.record is not None and node.record.values.get("version"):
                found.append(self._finding(node.record.values["version"], node))
        return found

    def _packages(self) -> list[Finding]:
        node = self._look.root.find(b"var/lib/dpkg/status")
        if parent(self.node.path) != b"usr/bin" or node is None or node.record is None or not self.series:
            return []
        values = node.record.values
        package = values.get(f"python{self.series}-minimal") or values.get(f"python{self.series}", "")
        found = re.match(r"(?:\d+:)?(\d+\.\d+\.\d+)", package)
        return [self._finding(found[1], node)] if found else []

    def _environment(self) -> list[Finding]:
        nodes = [self._look.root.find(joined(prefix, b"pyvenv.cfg")) for prefix in self.prefixes]
        records = [(node, node.record.values.get("version", "")) for node in nodes if node and node.record]
        return [self._finding(version, node) for node, version in records if re.match(r"\d+\.\d+\.\d+", version)]

    def _bytes(self) -> list[Finding]:
        """What the program or its library carries; of several versions none can be told to be Python's own."""
        for node in (self.node, *self._libraries()):
            said = node.record.values.get("versions", "").split() if node.record else []
            found = [version for version in said if not self.series or series(version) == self.series]
            if len(found) == 1:
                return [self._finding(found[0], node)]
        return []

    def _libraries(self) -> list[Node]:
        homes = {joined(self.launcher.home, name) for name in (b"lib", b"lib64")}
        paths = [path for _, path in self._look.visible(_LIBRARY) if parent(path) in homes]
        return [node for node in map(self._look.root.find, paths) if node is not None]

    def _finding(self, version: str, node: Node) -> Finding:
        return version.rstrip("+"), self._look.seen(node, version)


def _of(look: ImageView, item: Installed) -> Finding:
    return item.version, look.seen(item.node, item.version)


def valid(look: ImageView, prefix: bytes) -> list[Installed]:
    """The records of python in a prefix that agree with their file names."""
    found = installed(look, prefix, "python")
    return [item for item in found if item.is_valid and item.record.values["name"] == "python"]


def facts_of(look: ImageView, launcher: Launcher, *, subject: str = "python", note: str = "") -> list[Fact]:
    """One fact per version that is told of a program; one without a version when none or no single series is.

    The value is `{"version", "prefix", "program", "launcher", "link", "record"}`, the last three where there are any.
    """
    interpreter = Interpreter(look, launcher)
    found = interpreter.versions()
    value = {"prefix": from_root(launcher.home), "program": from_root(launcher.node.path)}
    value |= {"launcher": from_root(launcher.path)} if launcher.path != launcher.node.path else {}
    value |= {"link": from_root(launcher.link_out)} if launcher.link_out else {}
    seen = look.seen(launcher.node, interpreter.series)
    doubt = _doubt(interpreter, found)
    if doubt:
        records = " ".join(from_root(item.node.path) for item in valid(look, launcher.home))
        value |= {"records": records} if records else {}
        return [Fact(subject, value, True, (seen, *(item for _, item in found)), doubt)]
    links = look.linked(launcher.links)
    return [
        Fact(
            subject,
            {"version": version, **value, **_record(item)},
            True,
            (*((item, seen) if item != seen else (seen,)), *links),
            note,
        )
        for version, item in found
    ]


def _record(item: Evidence) -> dict[str, str]:
    return {"record": "/" + item.path} if "/conda-meta/" in item.path else {}


def _doubt(interpreter: Interpreter, found: Sequence[Finding]) -> str:
    """Why no version can be told of a program; "" when one can."""
    told = {series(version) for version, _ in found}
    path = shown(interpreter.node.path)
    if len(told) != 1:
        said = ", ".join(version for version, _ in found) or "nothing"
        return f"{path} has no version in its name, and what lies beside it names {said}"
    carried = interpreter.carried
    if carried and not told & {series(version) for version in carried}:
        return f"{path} carries {', '.join(carried)} in its bytes, and what lies beside it names {told.pop()}"
    return ""


def base_python(look: ImageView, prefix: bytes) -> list[Fact]:
    """The Python of a Conda prefix; one fact without a version when there is no program, so that rules fail."""
    subject = "base_python"
    launcher: Launcher | None = None
    for name in _LAUNCHERS:
        path = joined(prefix, b"bin/" + name)
        node, links = look.view.follow(path)
        if node is not None and look.view.may_execute(node):
            launcher = Launcher(node, path, links)
            break
        look.missed(subject, shown(path))
    if launcher is not None and starts(look, launcher.node):
        return facts_of(look, launcher, subject=subject)
    if launcher is not None:
        return [_without_program(look, prefix, _no_program(launcher.node))]
    inside = [node for node in interpreters(look) if parent(node.path) == _bin(look, prefix)]
    why = f"no bin/python in {from_root(prefix)}"
    return agreed(look, inside, why, subject=subject) or [_without_program(look, prefix, why)]


def _no_program(node: Node) -> str:
    return f"{shown(node.path)} is no program, but a text that may start any Python"


def starts(look: ImageView, node: Node) -> bool:
    """Whether a file is a Python: an ELF program.

    A script may start anything, and what is neither is a script to a shell, whatever Conda's record says of it.
    """
    return look.record_of(node, "what starts Python", "interpreter").values.get("format") == "elf"


def _bin(look: ImageView, prefix: bytes) -> bytes:
    node = look.root.find(joined(prefix, b"bin"))
    return node.path if node else joined(prefix, b"bin")


def _without_program(look: ImageView, prefix: bytes, why: str) -> Fact:
    evidence = tuple(_of(look, item)[1] for item in valid(look, prefix))
    said = f", only the record {evidence[0].path}" if evidence else ""
    note = f"{why}{said}: needs an interpreter"
    return Fact("base_python", {"prefix": from_root(prefix)}, evidence=evidence, note=note)


def interpreters(look: ImageView, *, as_user: bool = False) -> list[Node]:
    """Every executable program `*/bin/pythonX.Y` outside package caches, links followed, each once.

    Args:
        look: the image.
        as_user: only those that the image's user can start.
    """
    found: dict[bytes, Node] = {}
    for _, path in look.visible(_NAMED):
        if parent(path).rpartition(b"/")[2] != b"bin" or in_package_cache(path):
            continue
        node = look.view.follow(path)[0] if as_user else look.root.find(path)
        if node is None or (as_user and not look.can_start(node)):
            continue
        if node.is_executable and _is_program(node):
            found.setdefault(node.path, node)
    if len(found) > look.budgets.pythons:
        raise RootUnclear(f"the image has more than {look.budgets.pythons} Pythons")
    return list(found.values())


def agreed(look: ImageView, nodes: Sequence[Node], why: str, *, subject: str = "python") -> list[Fact]:
    """The facts of several interpreters when all are of one series; one fact without a version when they are not."""
    facts = [fact for node in nodes for fact in facts_of(look, Launcher(node, node.path), subject=subject)]
    found = {series(fact.value["version"]) for fact in facts if "version" in fact.value}
    if len(found) <= 1 and all("version" in fact.value for fact in facts):
        return facts
    said = ", ".join(f"{fact.value.get('version', '?')} ({fact.evidence[-1].path})" for fact in facts)
    note = f"{why}, and the interpreters there do not agree: {said}"
    return [Fact(subject, {}, evidence=tuple(item for fact in facts for item in fact.evidence), note=note)]


def python_on_path(look: ImageView) -> list[Fact]:
    """The Python that PATH reaches, without a version when that is a text; when it is nothing, all that agree.

    Raises:
        RootUnclear: what PATH reaches cannot be told.
    """
    for name in _LAUNCHERS:
        hit = look.on_path(name, "python")
        if hit is None:
            continue
        if starts(look, hit.node):
            return facts_of(look, Launcher(hit.node, hit.path, hit.links))
        note = f"{_no_program(hit.node)}: needs an interpreter"
        value = {"prefix": from_root(parent(parent(hit.node.path))), "program": from_root(hit.node.path)}
        return [Fact("python", value, evidence=(look.seen(hit.node, ""), *look.linked(hit.links)), note=note)]
    return _everywhere(look)


def _everywhere(look: ImageView) -> list[Fact]:
    found = interpreters(look, as_user=True)
    if not found:
        look.missed("python", "*/bin/python*")
    facts = agreed(look, found, "no python on PATH")
    return [Fact(item.subject, {**item.value, **FALLBACK}, item.judged, item.evidence, item.note) for item in facts]


def other_pythons(look: ImageView, judged: Sequence[Fact]) -> list[Fact]:
    """Interpreters that are reported only: neither what PATH reaches nor that of Conda's base prefix."""
    known = {item.path for fact in judged for item in fact.evidence}
    found = []
    for node in interpreters(look):
        if shown(node.path) not in known:
            note = f"{shown(node.path)} is neither what PATH reaches nor the Python of Conda's base prefix"
            found += [replace(fact, judged=False, note=note) for fact in facts_of(look, Launcher(node, node.path))]
    return found


def hidden_pythons(look: ImageView) -> list[Fact]:
    """Records of python in a conda-meta that a newer layer deleted or replaced."""
    found = []
    for index, path in look.root.candidates(re.compile(rb"python-[^-]+-[^-]+\.json")):
        record: Record | None = look.root.tiers[index].records.get(path)
        if record is not None and not look.root.shows(index, path):
            evidence = look.hidden(record, index, path, record.values.get("version", ""))
            note = f"layer {evidence.shadowed_by} deletes or replaces {shown(path)} of layer {index}"
            value = {"version": evidence.value, "prefix": from_root(parent(parent(path)))}
            found.append(Fact("python", value, judged=False, evidence=(evidence,), note=note))
    return found

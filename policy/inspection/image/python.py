"""The Pythons of an image: the one that PATH reaches, and the one of Conda's base prefix."""

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
    match = _SERIES.fullmatch(path.rpartition(b"/")[2])
    return f"{int(match[1])}.{int(match[2])}" if match else ""


def _is_program(node: Node) -> bool:
    """Whether a file is known to be an ELF program."""
    return node.record is not None and node.record.values.get("format") == "elf"


@dataclass(frozen=True, slots=True)
class Launcher:
    """The program that starts a Python.

    Attributes:
        node: the program, links followed.
        path: where it was looked up: `bin/python` of a prefix, or a place on PATH.
        links: the links followed from there.
    """

    node: Node
    path: bytes
    links: tuple[Node, ...] = ()

    @property
    def home(self) -> bytes:
        """The prefix of the program itself."""
        return parent(parent(self.node.path))

    @property
    def link_out(self) -> bytes:
        """The last followed link in another prefix than the program's; b"" when there is none."""
        return next((link.path for link in reversed(self.links) if parent(parent(link.path)) != self.home), b"")


class Interpreter:
    """One Python program, and the sources of its version, best first.

    Files of other prefixes do not count, except pyvenv.cfg of a virtual environment, which links to the program (PEP
    405).
    """

    def __init__(self, image: ImageView, launcher: Launcher) -> None:
        self._image = image
        self.launcher = launcher
        self.node = launcher.node
        self.series = series_in_name(launcher.node.path)
        self.prefixes = tuple(dict.fromkeys([launcher.home, parent(parent(launcher.path))]))

    def versions(self) -> list[Finding]:
        """Full versions from the first source with one of the program's series; else the series in its name."""
        for source in (self._conda, self._headers, self._packages, self._environment, self._bytes):
            matching = [item for item in source() if not self.series or series(item[0]) == self.series]
            if matching:
                return list({item[0]: item for item in matching}.values())
        return [(self.series, self._image.seen(self.node, self.series))] if self.series else []

    @property
    def carried(self) -> list[str]:
        """The versions in the program's own bytes."""
        return self.node.record.values.get("versions", "").split() if self.node.record else []

    def _conda(self) -> list[Finding]:
        return [_of(self._image, item) for item in valid(self._image, self.launcher.home)]

    def _headers(self) -> list[Finding]:
        home = self._image.root.find(joined(self.launcher.home, b"include"))
        wanted = {home.path} if home is not None else set()
        findings = []
        for _, path in self._image.visible(_HEADER):
            folder = parent(path)
            node = self._image.root.find(path) if parent(folder) in wanted and series_in_name(folder) else None
            if node is not None and node.record is not None and node.record.values.get("version"):
                findings.append(self._finding(node.record.values["version"], node))
        return findings

    def _packages(self) -> list[Finding]:
        node = self._image.root.find(b"var/lib/dpkg/status")
        if parent(self.node.path) != b"usr/bin" or node is None or node.record is None or not self.series:
            return []
        values = node.record.values
        package = values.get(f"python{self.series}-minimal") or values.get(f"python{self.series}", "")
        match = re.match(r"(?:\d+:)?(\d+\.\d+\.\d+)", package)
        return [self._finding(match[1], node)] if match else []

    def _environment(self) -> list[Finding]:
        nodes = [self._image.root.find(joined(prefix, b"pyvenv.cfg")) for prefix in self.prefixes]
        records = [(node, node.record.values.get("version", "")) for node in nodes if node and node.record]
        return [self._finding(version, node) for node, version in records if re.match(r"\d+\.\d+\.\d+", version)]

    def _bytes(self) -> list[Finding]:
        """The version in the bytes of the program or its library, if it is the only one there."""
        for node in (self.node, *self._libraries()):
            carried = node.record.values.get("versions", "").split() if node.record else []
            matching = [version for version in carried if not self.series or series(version) == self.series]
            if len(matching) == 1:
                return [self._finding(matching[0], node)]
        return []

    def _libraries(self) -> list[Node]:
        homes = {joined(self.launcher.home, name) for name in (b"lib", b"lib64")}
        paths = [path for _, path in self._image.visible(_LIBRARY) if parent(path) in homes]
        return [node for node in map(self._image.root.find, paths) if node is not None]

    def _finding(self, version: str, node: Node) -> Finding:
        return version.rstrip("+"), self._image.seen(node, version)


def _of(image: ImageView, item: Installed) -> Finding:
    return item.version, image.seen(item.node, item.version)


def valid(image: ImageView, prefix: bytes) -> list[Installed]:
    """The records of python in a prefix that agree with their file names."""
    records = installed(image, prefix, "python")
    return [item for item in records if item.is_valid and item.record.values["name"] == "python"]


def facts_of(image: ImageView, launcher: Launcher, *, subject: str = "python", note: str = "") -> list[Fact]:
    """One fact per version of a program; one without a version when its series is unknown or ambiguous.

    The value is `{"version", "prefix", "program", "launcher", "link", "record"}`, the last three if there are any.
    """
    interpreter = Interpreter(image, launcher)
    findings = interpreter.versions()
    value = {"prefix": from_root(launcher.home), "program": from_root(launcher.node.path)}
    value |= {"launcher": from_root(launcher.path)} if launcher.path != launcher.node.path else {}
    value |= {"link": from_root(launcher.link_out)} if launcher.link_out else {}
    seen = image.seen(launcher.node, interpreter.series)
    doubt = _doubt(interpreter, findings)
    if doubt:
        records = " ".join(from_root(item.node.path) for item in valid(image, launcher.home))
        value |= {"records": records} if records else {}
        return [Fact(subject, value, True, (seen, *(item for _, item in findings)), doubt)]
    links = image.linked(launcher.links)
    return [
        Fact(
            subject,
            {"version": version, **value, **_record(item)},
            True,
            (*((item, seen) if item != seen else (seen,)), *links),
            note,
        )
        for version, item in findings
    ]


def _record(item: Evidence) -> dict[str, str]:
    return {"record": "/" + item.path} if "/conda-meta/" in item.path else {}


def _doubt(interpreter: Interpreter, findings: Sequence[Finding]) -> str:
    """Why the version of a program is unknown; "" when it is known."""
    named = {series(version) for version, _ in findings}
    path = shown(interpreter.node.path)
    if len(named) != 1:
        listed = ", ".join(version for version, _ in findings) or "nothing"
        return f"{path} has no version in its name, and what lies beside it names {listed}"
    carried = interpreter.carried
    if carried and not named & {series(version) for version in carried}:
        return f"{path} carries {', '.join(carried)} in its bytes, and what lies beside it names {named.pop()}"
    return ""


def base_python(image: ImageView, prefix: bytes) -> list[Fact]:
    """The Python of a Conda prefix; one fact without a version when there is no program, so that rules fail."""
    subject = "base_python"
    launcher: Launcher | None = None
    for name in _LAUNCHERS:
        path = joined(prefix, b"bin/" + name)
        node, links = image.view.follow(path)
        if node is not None and image.view.may_execute(node):
            launcher = Launcher(node, path, links)
            break
        image.missed(subject, shown(path))
    if launcher is not None and starts(image, launcher.node):
        return facts_of(image, launcher, subject=subject)
    if launcher is not None:
        return [_without_program(image, prefix, _no_program(launcher.node))]
    inside = [node for node in interpreters(image) if parent(node.path) == _bin(image, prefix)]
    why = f"no bin/python in {from_root(prefix)}"
    return agreed(image, inside, why, subject=subject) or [_without_program(image, prefix, why)]


def _no_program(node: Node) -> str:
    return f"{shown(node.path)} is no program, but a text that may start any Python"


def starts(image: ImageView, node: Node) -> bool:
    """Whether a file is an ELF program, and so can be a Python.

    A script may start anything, and a shell runs any other file as a script, whatever Conda's record says.
    """
    return image.record_of(node, "what starts Python", "interpreter").values.get("format") == "elf"


def _bin(image: ImageView, prefix: bytes) -> bytes:
    node = image.root.find(joined(prefix, b"bin"))
    return node.path if node else joined(prefix, b"bin")


def _without_program(image: ImageView, prefix: bytes, why: str) -> Fact:
    evidence = tuple(_of(image, item)[1] for item in valid(image, prefix))
    record = f", only the record {evidence[0].path}" if evidence else ""
    note = f"{why}{record}: needs an interpreter"
    return Fact("base_python", {"prefix": from_root(prefix)}, evidence=evidence, note=note)


def interpreters(image: ImageView, *, as_user: bool = False) -> list[Node]:
    """Every executable program `*/bin/pythonX.Y` outside package caches, links followed, each once.

    Args:
        image: the image.
        as_user: whether to leave out those that the image's user cannot start.
    """
    programs: dict[bytes, Node] = {}
    for _, path in image.visible(_NAMED):
        if parent(path).rpartition(b"/")[2] != b"bin" or in_package_cache(path):
            continue
        node = image.view.follow(path)[0] if as_user else image.root.find(path)
        if node is None or (as_user and not image.can_start(node)):
            continue
        if node.is_executable and _is_program(node):
            programs.setdefault(node.path, node)
    if len(programs) > image.budgets.pythons:
        raise RootUnclear(f"the image has more than {image.budgets.pythons} Pythons")
    return list(programs.values())


def agreed(image: ImageView, nodes: Sequence[Node], why: str, *, subject: str = "python") -> list[Fact]:
    """The facts of several interpreters of one series; one fact without a version when their series differ."""
    facts = [fact for node in nodes for fact in facts_of(image, Launcher(node, node.path), subject=subject)]
    named = {series(fact.value["version"]) for fact in facts if "version" in fact.value}
    if len(named) <= 1 and all("version" in fact.value for fact in facts):
        return facts
    listed = ", ".join(f"{fact.value.get('version', '?')} ({fact.evidence[-1].path})" for fact in facts)
    note = f"{why}, and the interpreters there do not agree: {listed}"
    return [Fact(subject, {}, evidence=tuple(item for fact in facts for item in fact.evidence), note=note)]


def python_on_path(image: ImageView) -> list[Fact]:
    """The Python that PATH reaches, without a version if it is a script; all that agree if PATH reaches none.

    Raises:
        RootUnclear: it depends on the runtime what PATH reaches.
    """
    for name in _LAUNCHERS:
        hit = image.on_path(name, "python")
        if hit is None:
            continue
        if starts(image, hit.node):
            return facts_of(image, Launcher(hit.node, hit.path, hit.links))
        note = f"{_no_program(hit.node)}: needs an interpreter"
        value = {"prefix": from_root(parent(parent(hit.node.path))), "program": from_root(hit.node.path)}
        return [Fact("python", value, evidence=(image.seen(hit.node, ""), *image.linked(hit.links)), note=note)]
    return _everywhere(image)


def _everywhere(image: ImageView) -> list[Fact]:
    programs = interpreters(image, as_user=True)
    if not programs:
        image.missed("python", "*/bin/python*")
    facts = agreed(image, programs, "no python on PATH")
    return [Fact(item.subject, {**item.value, **FALLBACK}, item.judged, item.evidence, item.note) for item in facts]


def other_pythons(image: ImageView, judged: Sequence[Fact]) -> list[Fact]:
    """Interpreters that are only reported: neither on PATH nor of Conda's base prefix."""
    judged_paths = {item.path for fact in judged for item in fact.evidence}
    facts = []
    for node in interpreters(image):
        if shown(node.path) not in judged_paths:
            note = f"{shown(node.path)} is neither what PATH reaches nor the Python of Conda's base prefix"
            facts += [replace(fact, judged=False, note=note) for fact in facts_of(image, Launcher(node, node.path))]
    return facts


def hidden_pythons(image: ImageView) -> list[Fact]:
    """Records of python in a conda-meta that a newer layer deleted or replaced."""
    facts = []
    for index, path in image.root.candidates(re.compile(rb"python-[^-]+-[^-]+\.json")):
        record: Record | None = image.root.layers[index].records.get(path)
        if record is not None and not image.root.shows(index, path):
            evidence = image.hidden(record, index, path, record.values.get("version", ""))
            note = f"layer {evidence.shadowed_by} deletes or replaces {shown(path)} of layer {index}"
            value = {"version": evidence.value, "prefix": from_root(parent(parent(path)))}
            facts.append(Fact("python", value, judged=False, evidence=(evidence,), note=note))
    return facts

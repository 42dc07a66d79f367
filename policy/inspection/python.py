"""The Python of an image: that of the judged Conda prefix; without Conda, the one PATH reaches or all that agree."""

import re
from collections.abc import Iterable, Sequence

from policy.facts import Evidence, Fact
from policy.inspection.conda import Installed, installed
from policy.inspection.look import Look, from_root, in_package_cache, joined, parent
from policy.inspection.records import Record
from policy.inspection.root import Node, RootUnclear
from policy.inspection.tree import shown

_NAMED = re.compile(rb"python([0-9])\.([0-9]{1,2})[a-z]{0,4}")
_ANY = re.compile(rb"(?:python|pypy)[0-9.]{0,8}[a-z]{0,4}")
_HEADER = re.compile(rb"patchlevel\.h")
_LIBRARY = re.compile(rb"libpython[0-9.]{1,8}[a-z]{0,4}\.so[0-9.]{0,8}")
_LAUNCHERS = (b"python", b"python3")

Finding = tuple[str, Evidence]


def series(version: str) -> str:
    """`3.6` of `3.6.5`."""
    return ".".join(version.split(".")[:2])


def series_in_name(path: bytes) -> str:
    """`3.6` of `usr/bin/python3.6m`; "" when the name has none."""
    found = _NAMED.fullmatch(path.rpartition(b"/")[2])
    return f"{int(found[1])}.{int(found[2])}" if found else ""


def is_program(look: Look, node: Node) -> bool:
    """Whether a file is an ELF program, not a script that may start anything."""
    return look.record_of(node, "what starts Python", "interpreter").values.get("format") == "elf"


class Interpreter:
    """One Python program, and everything that tells its version, best first."""

    def __init__(self, look: Look, node: Node, prefixes: Iterable[bytes]) -> None:
        self._look = look
        self.node = node
        self.series = series_in_name(node.path)
        self.prefixes = tuple(dict.fromkeys([parent(parent(node.path)), *prefixes]))

    def versions(self) -> list[Finding]:
        """Full versions from the first source that has any of the program's series; else the series from its name."""
        for source in (self._conda, self._headers, self._packages, self._environment, self._bytes):
            found = [item for item in source() if not self.series or series(item[0]) == self.series]
            if found:
                return list({item[0]: item for item in found}.values())
        return [(self.series, self._look.seen(self.node, self.series))] if self.series else []

    def _conda(self) -> list[Finding]:
        return [_of(self._look, item) for prefix in self.prefixes for item in valid(self._look, prefix)]

    def _headers(self) -> list[Finding]:
        homes = [self._look.root.find(joined(prefix, b"include")) for prefix in self.prefixes]
        wanted = {home.path for home in homes if home is not None}
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
        homes = {joined(prefix, name) for prefix in self.prefixes for name in (b"lib", b"lib64")}
        paths = [path for _, path in self._look.visible(_LIBRARY) if parent(path) in homes]
        return [node for node in map(self._look.root.find, paths) if node is not None]

    def _finding(self, version: str, node: Node) -> Finding:
        return version.rstrip("+"), self._look.seen(node, version)


def _of(look: Look, item: Installed) -> Finding:
    return item.version, look.seen(item.node, item.version)


def valid(look: Look, prefix: bytes) -> list[Installed]:
    """The records of python in a prefix that agree with their file names."""
    found = installed(look, prefix, "python")
    return [item for item in found if item.is_valid and item.record.values["name"] == "python"]


def facts_of(look: Look, interpreter: Interpreter, prefix: bytes, *, judged: bool = True, note: str = "") -> list[Fact]:
    """One fact per version that is told of an interpreter; one without a version when none or no single series is."""
    found = interpreter.versions()
    value = {"prefix": from_root(prefix)}
    seen = look.seen(interpreter.node, interpreter.series)
    if len({series(version) for version, _ in found}) != 1:
        said = ", ".join(version for version, _ in found) or "nothing"
        doubt = f"{shown(interpreter.node.path)} has no version in its name, and what lies beside it names {said}"
        return [Fact("python", value, judged, (seen, *(item for _, item in found)), doubt)]
    return [
        Fact("python", {"version": version, **value}, judged, (item, seen) if item != seen else (seen,), note)
        for version, item in found
    ]


def python_of_prefix(look: Look, prefix: bytes) -> list[Fact]:
    """The Python of a Conda prefix; one fact without a version when there is no program, so that rules fail."""
    launcher: Node | None = None
    for name in _LAUNCHERS:
        path = joined(prefix, b"bin/" + name)
        node = look.root.find(path)
        if node is not None and node.is_executable:
            launcher = node
            break
        look.missed("python", shown(path))
    if launcher is not None and (is_program(look, launcher) or _is_vouched_for(look, launcher, prefix)):
        return facts_of(look, Interpreter(look, launcher, (prefix,)), prefix)
    inside = [node for node in interpreters(look) if parent(node.path) == _bin(look, prefix)]
    why = f"{shown(launcher.path)} is no program" if launcher else f"no bin/python in {from_root(prefix)}"
    return agreed(look, inside, why) or [_without_program(look, prefix, why)]


def _is_vouched_for(look: Look, launcher: Node, prefix: bytes) -> bool:
    """Whether Conda's own record says what a file of no known format is; a script may start anything, so never that."""
    kind = look.record_of(launcher, "what starts Python", "interpreter").values.get("format")
    return kind == "other" and bool(valid(look, prefix))


def _bin(look: Look, prefix: bytes) -> bytes:
    node = look.root.find(joined(prefix, b"bin"))
    return node.path if node else joined(prefix, b"bin")


def _without_program(look: Look, prefix: bytes, why: str) -> Fact:
    evidence = tuple(_of(look, item)[1] for item in valid(look, prefix))
    said = f", only the record {evidence[0].path}" if evidence else ""
    return Fact("python", {"prefix": from_root(prefix)}, evidence=evidence, note=f"{why}{said}: needs an interpreter")


def interpreters(look: Look) -> list[Node]:
    """Every executable program `*/bin/pythonX.Y` outside package caches, links followed, each once."""
    found: dict[bytes, Node] = {}
    for _, path in look.visible(_NAMED):
        if parent(path).rpartition(b"/")[2] != b"bin" or in_package_cache(path):
            continue
        node = look.root.find(path)
        if node is not None and node.is_executable and is_program(look, node):
            found.setdefault(node.path, node)
    if len(found) > look.budgets.pythons:
        raise RootUnclear(f"the image has more than {look.budgets.pythons} Pythons")
    return list(found.values())


def agreed(look: Look, nodes: Sequence[Node], why: str) -> list[Fact]:
    """The facts of several interpreters when all are of one series; one fact without a version when they are not."""
    facts = [fact for node in nodes for fact in facts_of(look, Interpreter(look, node, ()), parent(parent(node.path)))]
    found = {series(fact.value["version"]) for fact in facts if "version" in fact.value}
    if len(found) <= 1 and all("version" in fact.value for fact in facts):
        return facts
    said = ", ".join(f"{fact.value.get('version', '?')} ({fact.evidence[-1].path})" for fact in facts)
    note = f"{why}, and the interpreters there do not agree: {said}"
    return [Fact("python", {}, evidence=tuple(item for fact in facts for item in fact.evidence), note=note)]


def python_on_path(look: Look) -> list[Fact]:
    """The Python that PATH reaches; when that is a script or nothing, all interpreters if they agree."""
    for name in _LAUNCHERS:
        hit = look.on_path(name, "python")
        if hit is None:
            continue
        if is_program(look, hit[0]):
            return facts_of(look, Interpreter(look, hit[0], (parent(parent(hit[1])),)), parent(parent(hit[0].path)))
        return _everywhere(look, f"{shown(hit[0].path)} is no program")
    return _everywhere(look, "no python on PATH")


def _everywhere(look: Look, why: str) -> list[Fact]:
    found = interpreters(look)
    if not found:
        look.missed("python", "*/bin/python*")
    return agreed(look, found, why)


def other_pythons(look: Look, judged: Sequence[Fact]) -> list[Fact]:
    """Interpreters that are reported only, because a Conda prefix is what counts."""
    known = {item.path for fact in judged for item in fact.evidence}
    found = []
    for node in interpreters(look):
        if shown(node.path) not in known:
            prefix = parent(parent(node.path))
            note = f"{shown(node.path)} is not the Python of the Conda prefix that is judged"
            found += facts_of(look, Interpreter(look, node, ()), prefix, judged=False, note=note)
    return found


def hidden_pythons(look: Look) -> list[Fact]:
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

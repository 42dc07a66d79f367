"""Images that are changed as advice says: it is done to the files and the configuration, which are judged again."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations

from policy.assessment.verdict import Verdict, judge_image
from policy.definition.policy import Policy, known_policies
from policy.rules.change import Change
from policy.rules.versions import compare_conda
from policy.state import State
from registry.oci.digest import Digest
from tests.corpus.builders import Image, as_json, config_document, image, layer
from tests.corpus.systems import conda_python, conda_record, miniconda, ubuntu
from tests.corpus.tarballs import Entry, link, program

DEFAULT = known_policies()["azureml-2019-07"]
RELEASES = ("os-release", "lsb-release")
# By series of Python: the newest Conda that its solver installs it beside.
SOLVABLE = {"3.5": "4.5.11", "3.6": "4.10.3", "3.7": "23.1.0"}


@dataclass(frozen=True)
class Made:
    """An image as it is built: its files, and the PATH and User of its configuration."""

    entries: tuple[Entry, ...]
    path: str | None
    user: str = ""

    def built(self) -> Image:
        """As one layer."""
        env = [] if self.path is None else [f"PATH={self.path}"]
        made = layer(*self.entries)
        return image(made, config=as_json(config_document([made], config={"User": self.user, "Env": env})))

    def without(self, gone: Callable[[str], bool]) -> "Made":
        """The same without the files whose paths are such."""
        return replace(self, entries=tuple(item for item in self.entries if not gone(item.path.rstrip("/"))))

    def with_entries(self, *more: Entry) -> "Made":
        """The same with more files."""
        return replace(self, entries=(*self.entries, *more))


def verdict(made: Made, policy: Policy = DEFAULT) -> Verdict:
    """What a policy says."""
    built = made.built()
    return judge_image(Digest.of(built.manifest()), built.facts(), policy)


def advice(found: Verdict) -> list[Change]:
    """What is to be done, each thing once."""
    against = [item for item in found.findings if item.result.value in {"fail", "error"}]
    every = [change for item in against for change in item.changes]
    return [change for at, change in enumerate(every) if change not in every[:at]]


def applied(made: Made, changes: Iterable[Change]) -> Made:
    """The image after the changes, in their order."""
    for change in changes:
        made = _DOERS[change.action.value](made, change.about)
    return made


def is_cleared(made: Made, changes: Iterable[Change], policy: Policy = DEFAULT) -> bool:
    """Whether the changes, those that can be carried out, clear the image."""
    try:
        return verdict(applied(made, changes), policy).state is State.CLEARED
    except CannotBeDone:
        return False


def smaller(changes: Sequence[Change]) -> list[tuple[Change, ...]]:
    """Every proper subset."""
    return [part for size in range(len(changes)) for part in combinations(changes, size)]


class CannotBeDone(Exception):
    """A command would fail in the image."""


def _base(made: Made, about: Mapping[str, str]) -> Made:
    fresh = made.without(lambda path: path.rpartition("/")[2] in RELEASES)
    names = {item.path.rstrip("/") for item in fresh.entries}
    system = [item for item in ubuntu(about["version"], about["id"]) if item.path.rstrip("/") not in names]
    return replace(fresh, entries=(*system, *fresh.entries))


def _delete(made: Made, about: Mapping[str, str]) -> Made:
    return made.without(lambda path: f"/{path}" == about["path"])


def _link(made: Made, about: Mapping[str, str]) -> Made:
    return _delete(made, about).with_entries(link(about["path"][1:], about["target"]))


def _path(made: Made, about: Mapping[str, str]) -> Made:
    first = f"{about['first']}:{made.path or '/usr/bin:/bin'}" if "first" in about else about["value"]
    return replace(made, path=first)


def _conda(made: Made, about: Mapping[str, str]) -> Made:
    prefix, package, version = about["prefix"][1:], about["package"], about["version"]
    known = {item.path for item in made.entries}
    if about["conda"][1:] not in known or f"{prefix}/bin/python" not in known:
        raise CannotBeDone(f"{about['conda']} cannot be started")
    if package == "conda":
        limits = {part[:2]: part[2:] for part in version.split(",")}
        made = made.without(lambda path: path.startswith(f"{prefix}/conda-meta/conda-"))
        return made.with_entries(conda_record(limits.get("<=", limits[">="]), prefix=prefix))
    series = version.removeprefix("=")
    if compare_conda(_conda_in(made, prefix), SOLVABLE.get(series, "99")) > 0:
        raise CannotBeDone(f"conda install python={series} is refused by the solver")
    gone = (f"{prefix}/conda-meta/python-", f"{prefix}/bin/python", f"{prefix}/include/python")
    return made.without(lambda path: path.startswith(gone)).with_entries(*conda_python(f"{series}.9", prefix))


def _conda_in(made: Made, prefix: str) -> str:
    records = [item.path.rpartition("/")[2] for item in made.entries if f"{prefix}/conda-meta/conda-" in item.path]
    return max(record.split("-")[1] for record in records)


def _installer(made: Made, about: Mapping[str, str]) -> Made:
    prefix = about["prefix"][1:]
    rest = made.without(lambda path: f"{path}/".startswith(f"{prefix}/"))
    fresh = rest.with_entries(*miniconda(about["conda"], about["python"], prefix))
    return _path(fresh, about) if "first" in about else fresh


def _install(made: Made, about: Mapping[str, str]) -> Made:
    if about["package"] == "shell":
        return made.with_entries(program(about["path"][1:], "\x7fELF"))
    return made.with_entries(*conda_python(f"{about['version']}.9", "opt/python"))


def _mode(made: Made, about: Mapping[str, str]) -> Made:
    path, deep = about["path"][1:], about["mode"] == "a+rX"
    return replace(made, entries=tuple(_opened(item, path, deep) for item in made.entries))


def _opened(item: Entry, path: str, deep: bool) -> Entry:
    if item.path.rstrip("/") != path and not (deep and item.path.startswith(f"{path}/")):
        return item
    executable = item.kind == "5" or item.mode & 0o111
    return item.but(mode=item.mode | (0o444 if deep else 0) | (0o111 if executable else 0))


_DOERS: Mapping[str, Callable[[Made, Mapping[str, str]], Made]] = {
    "base": _base,
    "delete": _delete,
    "link": _link,
    "path": _path,
    "conda": _conda,
    "installer": _installer,
    "install": _install,
    "mode": _mode,
}

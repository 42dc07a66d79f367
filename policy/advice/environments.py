"""Advice on Conda and Python: one plan for both, because installing one of them changes the other."""

from dataclasses import dataclass, field
from functools import cached_property, cmp_to_key

from policy.advice.acts import ChangeBuilder, quotes_in, unquoted
from policy.advice.releases import INSTALLERS, can_hold, series
from policy.advice.wanted import Wanted
from policy.inspection.facts import Fact, ImageFacts
from policy.rules.change import Action, Change, place
from policy.rules.python_version import BASE_PYTHON, PATH_PYTHON
from policy.rules.versions import compare_conda

_CONDA = "conda"


@dataclass(slots=True)
class Plan:
    """Changes by the rule they serve; one change may serve both."""

    conda: list[Change] = field(default_factory=list)
    python: list[Change] = field(default_factory=list)


def planned(facts: ImageFacts, wanted: Wanted, builder: ChangeBuilder) -> Plan:
    """The changes that make the rules on Conda and Python pass; empty when they pass already."""
    return _Planner(facts, wanted, builder).plan()


class _Planner:
    """One image against the rules on Conda and Python."""

    def __init__(self, facts: ImageFacts, wanted: Wanted, builder: ChangeBuilder) -> None:
        self._facts = facts
        self._wanted = wanted
        self._builder = builder
        self._condas = facts.judged(_CONDA)
        self._made = Plan()

    def plan(self) -> Plan:
        """Conda first: the Python to install depends on it."""
        if self._denied():
            return self._made
        if self._condas:
            self._with_conda()
        elif self._wanted.conda:
            self._install(self._made.conda, self._python_is_wrong)
        elif self._python_is_wrong:
            self._without_conda()
        return self._made

    # the present state

    def _good(self, fact: Fact) -> bool:
        version = fact.value.get("version", "")
        return self._wanted.takes_conda(version) if fact.subject == _CONDA else self._wanted.takes_python(version)

    def _of(self, subject: str, prefix: str | None = None) -> list[Fact]:
        facts = self._facts.judged(subject)
        return [fact for fact in facts if prefix is None or self._is_inside(fact, prefix)]

    @cached_property
    def _python_is_wrong(self) -> bool:
        """Whether a judged Python is missing or not accepted."""
        judged = [self._of(subject) for subject in self._wanted.subjects]
        return any(not facts or not all(map(self._good, facts)) for facts in judged)

    @cached_property
    def _conda_is_wrong(self) -> bool:
        return bool(self._wanted.conda) and not all(map(self._good, self._condas))

    @cached_property
    def _prefix(self) -> str:
        """The base prefix to repair: of several, the one that needs the fewest changes."""
        prefixes = dict.fromkeys(fact.value.get("prefix", "") for fact in self._condas)
        return max(prefixes, key=lambda prefix: (self._has_good_conda(prefix), self._has_good_python(prefix)))

    def _has_good_conda(self, prefix: str) -> bool:
        return any(self._good(fact) for fact in self._of(_CONDA, prefix))

    def _has_good_python(self, prefix: str) -> bool:
        pythons = [*self._of(BASE_PYTHON), *self._of(PATH_PYTHON)]
        inside = [fact for fact in pythons if self._is_inside(fact, prefix)]
        return bool(inside) and all(map(self._good, inside))

    @staticmethod
    def _is_inside(fact: Fact, prefix: str) -> bool:
        """Whether a fact is of a prefix; its base Python is, wherever the link leads."""
        own = fact.subject == BASE_PYTHON and fact.value.get("launcher", "").startswith(f"{prefix.rstrip('/')}/bin/")
        return own or fact.value.get("prefix", "") == prefix

    # the changes

    def _denied(self) -> bool:
        """Advise on permissions first: a file that the image's User may not read does not count."""
        for subject, changes, wrong in (
            (_CONDA, self._made.conda, self._conda_is_wrong or (bool(self._wanted.conda) and not self._condas)),
            (PATH_PYTHON, self._made.python, self._python_is_wrong),
        ):
            denied = [fact.value for fact in self._facts.facts if fact.subject == subject and "denied" in fact.value]
            for value in denied if wrong else ():
                why = f"which user {value.get('user', 'of the configuration')} may not use"
                changes.append(self._builder.permit(value["denied"], why, value.get("prefix", "")))
            home = denied[0].get("prefix", "") if denied else ""
            if wrong and home and subject == PATH_PYTHON and not self._is_looked_in(home):
                changes.append(self._to_path(home, "so that its Python is the one that is found"))
        return bool(self._made.conda or self._made.python)

    def _with_conda(self) -> None:
        if (self._conda_is_wrong or self._python_is_wrong) and self._mend_starting_link():
            return
        prefix = self._prefix
        narrowed = len({fact.value.get("prefix") for fact in self._condas}) > 1 and self._narrow(prefix)
        changed = self._repair_conda(prefix) if self._wanted.conda else ""
        if self._python_is_wrong:
            self._repair_python(prefix, changed, narrowed=narrowed)

    def _mend_starting_link(self) -> bool:
        """Repair the link by which a conda is started by the Python of another prefix, which has no Conda."""
        for fact in self._condas:
            home = fact.value.get("program", "").rpartition("/bin/")[0]
            there = [item for item in self._facts.facts if item.subject == _CONDA and item.value.get("prefix") == home]
            strayed = not fact.value.get("version") and fact.value.get("prefix") != home
            if strayed and there and all(map(self._good, there)) and self._mend_launcher(home):
                self._made.conda += self._made.python if self._wanted.conda else ()
                return True
        return False

    def _narrow(self, prefix: str) -> bool:
        """Put one of several prefixes on PATH when another one is wrong."""
        others = [
            fact
            for subject in (_CONDA, *(item for item in self._wanted.subjects if item == BASE_PYTHON))
            for fact in self._of(subject)
            if not self._is_inside(fact, prefix) and not self._good(fact)
        ]
        if others:
            why = "so that the other prefixes do not count"
            self._made.conda.append(self._to_path(prefix, why))
        return bool(others)

    def _repair_conda(self, prefix: str) -> str:
        """Repair Conda. Returns `installed` for a new prefix, `updated` when Conda updates itself, else ""."""
        condas = self._of(_CONDA, prefix)
        wrong = [fact for fact in condas if not self._good(fact)]
        if not wrong:
            return ""
        if len(wrong) < len(condas):
            right = next(fact for fact in condas if self._good(fact)).value["version"]
            for fact in wrong:
                version = fact.value.get("version") or "no version"
                why = f"a record of Conda that says {version} beside the one of {right}"
                self._made.conda.append(self._builder.delete(_record(fact), why))
            return ""
        if self._runs(prefix) and self._update_conda(prefix):
            return "updated"
        self._install(self._made.conda, self._python_is_wrong, prefix)
        return "installed"

    def _update_conda(self, prefix: str) -> bool:
        """Let Conda update itself, to a release that supports the present or future Python."""
        there = [series(fact.value.get("version", "")) for fact in self._of(BASE_PYTHON, prefix)]
        kept = [name for name in there if name in self._wanted.series or not self._wanted.python]
        target = next(iter(kept or self._wanted.series), "")
        if self._wanted.python and not target:
            return False
        spec = self._wanted.conda_for(target)
        words = f"update the Conda in {place(prefix)}" + (f" to one for Python {target}" if target else "")
        self._made.conda.append(self._builder.conda_install(prefix, "conda", spec, words))
        return True

    def _install(self, changes: list[Change], with_python: bool, prefix: str = "") -> None:  # noqa: FBT001
        """Run a Miniconda installer, and install the right Python if its own is not accepted."""
        wanted = self._wanted
        fitting = [item for item in INSTALLERS if wanted.takes_conda(item.conda)]
        whole = [item for item in fitting if not with_python or wanted.takes_python(item.python)]
        able = [item for item in fitting if any(can_hold(item.conda, name) for name in wanted.series)]
        chosen = next(iter(whole or able or fitting), None)
        if chosen is None:
            needs = " and ".join(f"{rule.thing} {rule.needs}" for rule in (*wanted.conda, *wanted.python))
            about = {"package": "conda", "version": wanted.minimum}
            changes.append(Change(Action.INSTALL, f"install a Miniconda with {needs}", (), about))
            return
        made = self._builder.reinstall(chosen, prefix, f": {self._why(prefix)}" if prefix else "")
        changes.append(made)
        if with_python:
            self._made.python.append(made) if changes is not self._made.python else None
            if not wanted.takes_python(chosen.python):
                self._conda_python(made.about["prefix"], chosen.conda)

    def _why(self, prefix: str) -> str:
        """Why `conda install` cannot do it."""
        if not self._runs(prefix):
            return "the Conda there cannot be started to repair itself"
        names = " or ".join(self._wanted.series[:2]) or "another Python"
        return f"no release of Conda that new is there for Python {names}, so that conda install would be refused"

    def _repair_python(self, prefix: str, conda: str, *, narrowed: bool) -> None:
        """Repair the Python on PATH and the base prefix's Python, as far as they are judged."""
        if conda == "installed":
            self._lead_to_base(prefix, narrowed=narrowed)
            return
        if self._mend_launcher(prefix) or self._mend_records(prefix):
            return
        away = self._lead_to_base(prefix, narrowed=narrowed)
        counts = BASE_PYTHON in self._wanted.subjects or away or narrowed or self._lives_in(prefix)
        if counts and not self._has_good_base(prefix):
            self._install_python(prefix, updated=conda == "updated")

    def _has_good_base(self, prefix: str) -> bool:
        pythons = self._of(BASE_PYTHON, prefix)
        return bool(pythons) and all(map(self._good, pythons))

    def _lives_in(self, prefix: str) -> bool:
        """Whether the Python that PATH reaches is the one in the prefix."""
        return any(self._is_inside(fact, prefix) for fact in self._of(PATH_PYTHON))

    def _lead_to_base(self, prefix: str, *, narrowed: bool) -> bool:
        """Put the prefix first on PATH when PATH reaches another Python that is wrong.

        Returns:
            Whether PATH will newly reach the prefix's Python.
        """
        reached = self._of(PATH_PYTHON)
        if PATH_PYTHON not in self._wanted.subjects or narrowed:
            return False
        if reached and (all(map(self._good, reached)) or all(self._is_inside(fact, prefix) for fact in reached)):
            return False
        if self._is_looked_in(prefix):
            return True
        why = "so that its Python is the one that is found"
        self._made.python.append(self._to_path(prefix, why))
        return True

    def _is_looked_in(self, prefix: str) -> bool:
        """Whether PATH lists the prefix before the Python that it reaches, and the prefix has no Python yet."""
        missing = f"{prefix.strip('/')}/bin/python"
        return any(item.path == missing for item in self._facts.absent.get(PATH_PYTHON, ()))

    def _mend_launcher(self, prefix: str) -> bool:
        """Repair a link of the prefix that leads to another prefix's Python; reinstall if its own is missing."""
        for fact in (*self._of(PATH_PYTHON), *self._of(BASE_PYTHON)):
            link = _leaving(fact, prefix)
            if self._good(fact) or not link:
                continue
            own = [item for item in self._interpreters(prefix) if self._good(item) and item.value.get("program")]
            if own:
                target = own[0].value["program"].rpartition("/")[2]
                why = f"it leads to {fact.value.get('program', 'another Python')}, out of the prefix"
                self._made.python.append(self._builder.link(link, target, why))
            else:
                self._install(self._made.python, True, prefix)
            return True
        return False

    def _interpreters(self, prefix: str) -> list[Fact]:
        """Every Python in a prefix, judged or not, that no newer layer hides."""
        inside = [fact for fact in self._facts.facts if fact.subject == PATH_PYTHON and self._is_inside(fact, prefix)]
        return [fact for fact in inside if all(item.shadowed_by < 0 for item in fact.evidence)]

    def _mend_records(self, prefix: str) -> bool:
        """Delete contradicting records of Python when one of them is accepted."""
        for fact in (*self._of(PATH_PYTHON), *self._of(BASE_PYTHON)):
            records = fact.value.get("records", "").split()
            wrong = [path for path in records if not self._wanted.takes_python(_version_in(path))]
            if wrong and len(wrong) < len(records) and self._is_inside(fact, prefix):
                why = "a record of another Python beside the right one"
                self._made.python += [self._builder.delete(path, why) for path in wrong]
                return True
        return False

    def _runs(self, prefix: str) -> bool:
        """Whether the prefix's Conda starts: it needs its own records and its own Python, under its usual name."""
        programs = [*self._of(_CONDA, prefix), *self._of(BASE_PYTHON, prefix)]
        return all(fact.value.get("version") and not _leaving(fact, prefix) and _is_usual(fact) for fact in programs)

    def _install_python(self, prefix: str, *, updated: bool) -> None:
        """Let Conda install Python when its solver can; else replace the prefix."""
        versions = [fact.value.get("version", "") for fact in self._of(_CONDA, prefix)]
        right = [version for version in versions if version and self._wanted.takes_conda(version)]
        newest = max(right, key=cmp_to_key(compare_conda), default="")
        able = newest and any(can_hold(newest, name) for name in self._wanted.series)
        if updated or (able and self._runs(prefix)):
            self._conda_python(prefix, "" if updated else newest)
        else:
            self._install(self._made.python, True, prefix)

    def _conda_python(self, prefix: str, conda: str) -> None:
        names = [name for name in self._wanted.series if not conda or can_hold(conda, name)]
        if names:
            words = f"install Python {names[0]} into Conda's base environment {place(prefix)}"
            self._made.python.append(self._builder.conda_install(prefix, "python", f"python={names[0]}", words))

    def _to_path(self, prefix: str, why: str) -> Change:
        directory = f"{prefix.rstrip('/')}/bin"
        environment = next((fact.value for fact in self._facts.facts if fact.subject == "environment"), {})
        if quotes_in(environment) and directory in unquoted(environment["PATH"]).split(":"):
            return self._builder.path_value(
                unquoted(environment["PATH"]), "without quotation marks, which are part of it"
            )
        return self._builder.path_first(directory, why)

    def _without_conda(self) -> None:
        """There is no Conda and no rule on it: any way to install Python will do."""
        name = next(iter(self._wanted.series), "")
        words = f"install Python {name} and put its directory first on PATH"
        self._made.python.append(Change(Action.INSTALL, words, (), {"package": "python", "version": name}))


def _record(fact: Fact) -> str:
    """The file a fact was read in."""
    return fact.value.get("record") or next((f"/{item.path}" for item in fact.evidence), "")


def _leaving(fact: Fact, prefix: str) -> str:
    """The link in a prefix that leads to a Python outside it; "" when none does."""
    home = f"{prefix.rstrip('/')}/"
    if fact.value.get("program", home).startswith(home):
        return ""
    links = [f"/{item.path}" for item in fact.evidence if f"/{item.path}".startswith(f"{home}bin/")]
    leaving = [path for path in (fact.value.get("link", ""), *links) if path.startswith(f"{home}bin/")]
    return leaving[-1] if leaving else ""


def _is_usual(fact: Fact) -> bool:
    """Whether a Python has the name under which Conda starts it."""
    path = fact.value.get("launcher") or fact.value.get("program", "python")
    return path.rpartition("/")[2] in {"python", "python3"}


def _version_in(path: str) -> str:
    """`3.6.8` of `/opt/conda/conda-meta/python-3.6.8-0.json`."""
    return path.rpartition("/")[2].split("-")[1] if path.count("-") else ""

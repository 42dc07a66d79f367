"""Facts as tests need them: a few words in, ImageFacts out."""

from dataclasses import replace

from policy.inspection.facts import Evidence, EvidenceState, Fact, ImageFacts, Problem

RECORD = "opt/miniconda/conda-meta"


def os_fact(identifier: str = "ubuntu", version: str | None = "16.04") -> Fact:
    """The operating system, read from the first layer."""
    value = {"id": identifier} | ({} if version is None else {"version": version})
    return Fact("os", value, evidence=(Evidence("etc/os-release", layer="sha256:00", index=0, value=str(version)),))


def conda_fact(version: str | None = "4.5.12") -> Fact:
    """Conda's record, read from the third layer."""
    value = {"prefix": "/opt/miniconda"} | ({} if version is None else {"version": version})
    return Fact("conda", value, evidence=(Evidence(f"{RECORD}/conda-{version}-py36_0.json", index=2),))


def python_fact(version: str | None = "3.6.8", *, judged: bool = True, note: str = "") -> Fact:
    """Python's record, read from the fourth layer."""
    value = {"prefix": "/opt/miniconda"} | ({} if version is None else {"version": version})
    evidence = (Evidence(f"{RECORD}/python-{version}-h0371630_0.json", index=3),)
    return Fact("python", value, judged, evidence, note)


def base_fact(version: str | None = "3.6.8", prefix: str = "/opt/miniconda") -> Fact:
    """The Python of Conda's base environment, read from the fourth layer."""
    value = {"prefix": prefix} | ({} if version is None else {"version": version})
    evidence = (Evidence(f"{prefix[1:]}/conda-meta/python-{version}-h0371630_0.json", index=3),)
    return Fact("base_python", value, True, evidence)


def beside_path(fact: Fact) -> Fact:
    """A fact that was found without the help of PATH."""
    return replace(fact, value={**fact.value, "fallback": "path"})


def shell_fact(path: str = "bin/sh") -> Fact:
    """A shell."""
    return Fact("shell", {"path": path}, evidence=(Evidence(path, index=0),))


def image(*facts: Fact, problems: tuple[Problem, ...] = ()) -> ImageFacts:
    """An image with these facts; without any, the ones that every shipped policy clears save for the shell."""
    found = facts or (os_fact("ubuntu", "18.04"), conda_fact("4.7.12"), python_fact("3.6.8"), shell_fact())
    absent = {"conda": (Evidence("usr/bin/conda", EvidenceState.ABSENT), Evidence("bin/conda", EvidenceState.ABSENT))}
    return ImageFacts(found, absent, problems, ("conda@1", "os-release@1"))

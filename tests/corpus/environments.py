"""PATH and WorkingDir in odd forms, over a good prefix and a bad one behind it."""

from tests.corpus.case import Case, cleared, refused, unclear
from tests.corpus.runtimes import BOTH, OLD, elsewhere, started
from tests.corpus.tarballs import link, whiteout

CASES: list[Case] = [
    refused("relative to WorkingDir", lambda: started(path=f"evil/bin:{BOTH}", WorkingDir="/opt"), **OLD),
    refused("an empty entry in WorkingDir", lambda: started(path=f":{BOTH}", WorkingDir="/opt/evil/bin"), **OLD),
    refused(".. out of WorkingDir", lambda: started(path=f"../evil/bin:{BOTH}", WorkingDir="/opt/miniconda"), **OLD),
    refused(
        "WorkingDir is a link", lambda: started([link("w", "opt")], path=f"evil/bin:{BOTH}", WorkingDir="/w"), **OLD
    ),
    cleared("WorkingDir is not there", lambda: started(path=f"evil/bin:{BOTH}", WorkingDir="/new")),
    unclear(
        "a directory that is there because WorkingDir is made in it",
        lambda: started(path=f"/opt/new/../evil/bin:{BOTH}", WorkingDir="/opt/new/work"),
        "WorkingDir",
    ),
    unclear(
        "a directory that docker and podman make for a volume",
        lambda: started(path=f"/new/data/../../opt/evil/bin:{BOTH}", Volumes={"/more": {}, "/new/data": {}}),
        "Volumes",
    ),
    unclear(
        "a directory that docker makes for its own files",
        lambda: started([whiteout("etc")], path=f"/etc/../opt/evil/bin:{BOTH}"),
        "etc",
    ),
    cleared("volumes that are there", lambda: started(path=f"/zzz/../opt/evil/bin:{BOTH}", Volumes={"/opt": {}})),
    unclear(
        "WorkingDir is made where a link leads to nothing, as docker alone does",
        lambda: started([link("w", "/opt/new/work/.")], path=f"/opt/new/../evil/bin:{BOTH}", WorkingDir="/w"),
        "WorkingDir",
    ),
    cleared(
        "PATH leads nowhere by .., and WorkingDir is there",
        lambda: started(path=f"/opt/new/../evil/bin:{BOTH}", WorkingDir="/opt"),
    ),
    unclear("WorkingDir is relative", lambda: started(path=f"evil/bin:{BOTH}", WorkingDir="opt"), "WorkingDir"),
    cleared("WorkingDir is relative, and so is no entry", lambda: started(WorkingDir="opt")),
    refused(
        "an entry longer than a path may be",
        lambda: started(path=f"/{'./' * 2100}opt/miniconda/bin:/opt/evil/bin"),
        **OLD,
    ),
    unclear("an entry with %", lambda: elsewhere("opt/a%b", "/opt/a%b/bin"), "option"),
    unclear(
        "an entry that is one without what follows %", lambda: started(path=f"/opt/evil/bin%func:{BOTH}"), "option"
    ),
    cleared("an entry with % that leads nowhere either way", lambda: started(path=f"%PATH%:{BOTH}")),
    unclear(
        "a function in the environment", lambda: started(Env=[f"PATH={BOTH}", "BASH_FUNC_python%%=() { :; }"]), "shell"
    ),
    unclear("User is a number", lambda: started(User=1000), "User"),
    unclear("Entrypoint is a number", lambda: started(Entrypoint=7), "Entrypoint"),
    cleared("Entrypoint is a text", lambda: started(Entrypoint="/bin/sh")),
    refused("Env is null", lambda: started(Env=None), conda=("4.3.0", "4.5.12"), python=("?",)),
    unclear("Volumes is a list", lambda: started(Volumes=["/x"]), "Volumes"),
]

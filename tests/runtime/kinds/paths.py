"""PATH as runtimes and shells read it (I2): twice, bare, empty, relative, over-long, quoted, with words of a shell."""

from typing import Any

from tests.corpus.tarballs import folder, link
from tests.runtime.images import SYSTEM_PATH, Image, evil, good, image
from tests.runtime.kinds.case import Case, cleared, judged, refused, unclear

GOOD, EVIL = "/opt/good/bin", "/opt/evil/bin"
LONG = "/" + "x" * 4100
NAME = "n" * 255


def on(path: str, **config: Any) -> Image:
    """Both prefixes and this PATH."""
    return image(good(), evil(), path=path, **config)


def env(*values: Any, **config: Any) -> Image:
    """Both prefixes, a prefix in the system's own place that does not pass, and this environment."""
    return image(good(), evil(), evil("usr/local"), Env=list(values), **config)


def inside(*names: str, directory: str = "/opt") -> Image:
    """Relative entries of PATH, seen from a working directory."""
    return on(":".join([*names, GOOD]), WorkingDir=directory)


CASES: tuple[Case, ...] = (
    cleared("one PATH", lambda: on(f"{GOOD}:{EVIL}")),
    refused("PATH twice, the last does not pass", lambda: env(f"PATH={GOOD}", f"PATH={EVIL}")),
    cleared("PATH twice, the first does not pass", lambda: env(f"PATH={EVIL}", f"PATH={GOOD}")),
    refused("PATH three times", lambda: env(f"PATH={GOOD}", "A=b", f"PATH={GOOD}", f"PATH={EVIL}:{GOOD}")),
    unclear("bare PATH", lambda: env("PATH")),
    unclear("bare PATH before PATH", lambda: env("PATH", f"PATH={GOOD}")),
    unclear("bare PATH after PATH", lambda: env(f"PATH={GOOD}", "PATH")),
    judged("PATH of nothing", lambda: env("PATH=")),
    judged("PATH of nothing after PATH", lambda: env(f"PATH={GOOD}", "PATH=")),
    judged("PATH of one colon", lambda: on(":", WorkingDir=EVIL)),
    cleared("Path and path are other variables", lambda: env(f"PATH={GOOD}", f"Path={EVIL}", f"path={EVIL}")),
    judged("a blank before PATH", lambda: env(f" PATH={EVIL}", f"PATH={GOOD}")),
    judged("a blank after PATH", lambda: env(f"PATH ={EVIL}", f"PATH={GOOD}")),
    judged("variable without a name", lambda: env(f"PATH={GOOD}", f"={EVIL}")),
    judged("variable of nothing", lambda: env(f"PATH={GOOD}", "")),
    judged("variable without a value", lambda: env(f"PATH={GOOD}", "LONELY")),
    judged("PATH with an equals sign", lambda: env(f"PATH={GOOD}=:{EVIL}")),
    judged("no PATH among variables", lambda: env("A=b")),
    judged("environment of nothing", env),
    refused("no environment", lambda: image(good(), evil("usr/local"), path=None)),
    judged("PATH with a NUL", lambda: env(f"PATH={GOOD}\0:{EVIL}")),
    judged("PATH with a line end", lambda: on(f"{GOOD}\n:{EVIL}")),
    judged("PATH with a lone surrogate", lambda: on(f"/opt/\udcff:{GOOD}")),
    refused("relative entry from WorkingDir", lambda: inside("evil/bin")),
    refused("relative entry from the root", lambda: on(f"opt/evil/bin:{GOOD}")),
    refused("relative entry from the root named as WorkingDir", lambda: inside("opt/evil/bin", directory="/")),
    refused("relative entry with dots", lambda: inside("./evil/../evil/./bin")),
    refused("relative entry upwards", lambda: inside("../../../../opt/evil/bin", directory="/opt/good/bin")),
    refused("empty first entry is WorkingDir", lambda: inside("", directory=EVIL)),
    refused("empty entry in the middle", lambda: on(f"/none::{GOOD}", WorkingDir=EVIL)),
    refused("empty last entry", lambda: on("/none:", WorkingDir=EVIL)),
    refused("a dot is WorkingDir", lambda: inside(".", directory=EVIL)),
    cleared("relative entry that leads nowhere", lambda: inside("evil/bin", directory="/usr")),
    refused("absolute entry with dots", lambda: on(f"/opt/good/../evil/bin:{GOOD}")),
    refused(
        "dots through a link", lambda: image(good(), [*evil(), link("a", "opt/evil/bin")], path=f"/a/../bin:{GOOD}")
    ),
    cleared("dots through nothing", lambda: on(f"/none/../opt/evil/bin:{GOOD}")),
    cleared("dots through a file", lambda: on(f"/etc/passwd/../../opt/evil/bin:{GOOD}")),
    cleared("entry beyond PATH_MAX", lambda: on(f"{LONG}:{GOOD}")),
    refused("entry of slashes beyond PATH_MAX", lambda: on(f"{'/' * 4100}opt/good/bin:{EVIL}:{GOOD}")),
    judged("entry of slashes just under PATH_MAX", lambda: on(f"{'/' * 4070}opt/evil/bin:{GOOD}")),
    judged("entry of slashes at PATH_MAX", lambda: on(f"{'/' * (4095 - 5 - 12)}opt/evil/bin:{GOOD}")),
    cleared("part of an entry beyond NAME_MAX", lambda: on(f"/opt/{NAME}n/../evil/bin:{GOOD}")),
    refused(
        "part of an entry at NAME_MAX",
        lambda: image(good(), [*evil(), folder(f"opt/{NAME}").but(form="pax")], path=f"/opt/{NAME}/../evil/bin:{GOOD}"),
    ),
    refused("trailing slashes", lambda: on(f"{EVIL}//:{GOOD}")),
    refused("two slashes in front", lambda: on(f"/{EVIL}:{GOOD}")),
    judged("tilde", lambda: image(good(), evil("root"), evil("~"), path=f"~/bin:{GOOD}")),
    judged("tilde with a user's name", lambda: image(good(), evil("root"), path=f"~root/bin:{GOOD}", HOME="/root")),
    judged("percent sign", lambda: image(good(), evil("opt/%func"), path=f"/opt/%func/bin:{GOOD}")),
    judged("ash's words behind a percent sign", lambda: on(f"{EVIL}%builtin:{GOOD}")),
    judged("ash's words behind a percent sign, function", lambda: on(f"{EVIL}%func:{GOOD}")),
    judged("quoted entry", lambda: on(f'"{EVIL}":{GOOD}')),
    judged("quoted PATH", lambda: on(f'"{EVIL}:{GOOD}"')),
    judged("entry with a variable", lambda: env("X=/opt/evil", f"PATH=$X/bin:${{X}}/bin:{GOOD}")),
    judged("entry with a blank", lambda: image(good(), evil("opt/e vil"), path=f"/opt/e vil/bin:{GOOD}")),
    judged("entry with a backslash", lambda: on(f"/opt\\evil/bin:\\/opt/evil/bin:{GOOD}")),
    judged("semicolons", lambda: on(f"{EVIL};{GOOD}")),
    cleared("entry that is a file", lambda: on(f"{EVIL}/conda:{GOOD}")),
    cleared("entry given twice", lambda: on(f"{GOOD}:{GOOD}/:{EVIL}")),
    judged("many entries", lambda: on(":".join([*(f"/none/{n}" for n in range(300)), EVIL, GOOD]))),
    judged("CDPATH and PWD", lambda: env("PWD=/opt/evil", "CDPATH=/opt", f"PATH={GOOD}:{SYSTEM_PATH}")),
    judged("ENV that a shell would read", lambda: env(f"ENV={EVIL}/conda", f"PATH={GOOD}")),
)

"""Configurations of odd forms (point 4): wrong types, other cases, relative and missing working directories."""

from typing import Any

from tests.corpus.tarballs import Entry, file, folder, link
from tests.runtime.images import (
    PATH,
    Image,
    configured,
    evil,
    good,
    image,
    owned,
    written,
)
from tests.runtime.kinds.case import Case, cleared, judged, refused, unclear

ENV = [f"PATH={PATH}"]
RELATIVE = ["PATH=bin:/opt/good/bin:/usr/bin:/bin"]


def config(**members: Any) -> Image:
    """Both prefixes, and a configuration with these members."""
    return image(good(), evil(), **members)


def whole(**members: Any) -> Image:
    """Both prefixes, and these members of the whole configuration."""
    return configured((good(), evil()), {"config": {"Env": ENV}, **members})


def spelled(old: str, new: str) -> Image:
    """Both prefixes, that which does not pass in the system's place too, and a configuration spelled otherwise."""
    return written((good(), evil(), evil("usr/local")), (old, new))


def twice(second: str) -> Image:
    """A configuration with a second member of some spelling in front of its end."""
    return written((good(), evil(), evil("usr/local")), ('"Cmd"', f'{second}, "Cmd"'))


def working(directory: Any, *layers: list[Entry], **members: Any) -> Image:
    """Both prefixes, PATH beginning with a relative entry, and a WorkingDir."""
    return image(good(), evil(), *layers, Env=RELATIVE, WorkingDir=directory, **members)


FORMS: tuple[Case, ...] = tuple(
    judged(f"{name} is {value!r}", lambda n=name, v=value: config(**{n: v}))  # type: ignore[misc,var-annotated]
    for name, values in {
        "Env": (
            None,
            "PATH=/opt/evil/bin",
            7,
            {"PATH": "/opt/evil/bin"},
            [None],
            [7],
            [["PATH=/opt/evil/bin"]],
            {},
            True,
        ),
        "Entrypoint": ("/opt/evil/bin/conda", ["/opt/evil/bin/conda"], [], None, 7, [7], {}),
        "Cmd": ("/opt/evil/bin/conda", None, [], 7, [None], {}),
        "Shell": (["/opt/evil/bin/conda", "-c"], "/opt/evil/bin/conda", None, 7, []),
        "WorkingDir": (None, 7, ["/opt"], {}),
        "Volumes": ({"/opt/good": {}}, {"/opt/good/bin": {}}, None, ["/opt/good"], {"opt": 7}),
        "Healthcheck": ({"Test": ["CMD", "/x"]}, "x", None, 7),
        "OnBuild": (["RUN x"], "RUN x", None),
        "StopSignal": ("SIGKILL", "NONE", 9, None),
        "ExposedPorts": ({"80/tcp": {}}, ["80"], {"x": 7}, None),
        "Labels": ({"a": "b", "A": "c"}, {"a": 7}, ["a"], None),
        "ArgsEscaped": (True, "true"),
        "Hostname": ("x", 7),
        "NetworkDisabled": (True,),
        "Tty": (True, "x"),
    }.items()
    for value in values
)
WHOLE: tuple[Case, ...] = tuple(
    judged(f"{name} of the whole is {value!r}", lambda n=name, v=value: whole(**{n: v}))  # type: ignore[misc,var-annotated]
    for name, values in {
        "config": (None, {}, [], "x", 7),
        "container_config": ({"Env": ["PATH=/opt/evil/bin"], "User": "worker"},),
        "os": ("", None, "Linux", "linux ", "windows", 7),
        "architecture": ("", None, "x86_64", "arm64", "AMD64", 7),
        "variant": ("v8", 7),
        "created": ("yesterday", 7, None, "2019-07-11T00:00:00Z"),
        "author": (7,),
        "history": ([{"empty_layer": True}], [{"created_by": 7}], None, "x", [{}, {}, {}]),
        "rootfs": (None, {}, {"type": "layers"}),
        "parent": ("sha256:" + "0" * 64,),
        "id": ("x",),
        "docker_version": ("1.9", 7),
    }.items()
    for value in values
)
SPELLED: tuple[Case, ...] = (
    judged("ligature in config", lambda: spelled('"config"', '"con\ufb01g"')),
    judged("capitals in config", lambda: spelled('"config"', '"CONFIG"')),
    judged("capitals in Env", lambda: spelled('"Env"', '"ENV"')),
    judged("small letters in Env", lambda: spelled('"Env"', '"env"')),
    judged("long s in rootfs", lambda: spelled('"rootfs"', '"rootf\u017f"')),
    judged("long s in diff_ids", lambda: spelled('"diff_ids"', '"diff_id\u017f"')),
    judged("sharp s in nothing", lambda: spelled('"Env"', '"Env\u00df"')),
    judged("Env twice", lambda: twice('"Env": ["PATH=/opt/evil/bin"]')),
    judged("Env twice, the second in small letters", lambda: twice('"env": ["PATH=/opt/evil/bin"]')),
    judged("Env twice, the second in capitals", lambda: twice('"ENV": ["PATH=/opt/evil/bin"]')),
    judged("Env twice, the second null", lambda: twice('"Env": null')),
    judged("User twice", lambda: twice('"User": "worker", "user": "root"')),
    judged("Kelvin sign in WorkingDir", lambda: twice('"Wor\u212aingDir": "/opt/evil"')),
    judged("escaped member name", lambda: spelled('"Env"', '"\\u0045nv"')),
    judged("byte order mark", lambda: spelled('{"architecture"', '\ufeff{"architecture"')),
    judged("something after the end", lambda: spelled('"Cmd": ["/bin/sh"]}}', '"Cmd": ["/bin/sh"]}} {}')),
    judged("deep nesting", lambda: spelled('"Cmd"', f'"x": {"[" * 200}{"]" * 200}, "Cmd"')),
)
DIRECTORIES: tuple[Case, ...] = (
    refused("WorkingDir of the other prefix", lambda: working("/opt/evil")),
    judged("relative WorkingDir", lambda: working("opt/evil")),
    judged("relative WorkingDir with dots", lambda: working("../opt/evil")),
    judged("WorkingDir with dots", lambda: working("/usr/../opt/evil/.")),
    judged("WorkingDir with dots through a link", lambda: working("/a/..", [link("a", "opt/evil/bin")])),
    judged("WorkingDir that is missing", lambda: working("/opt/none")),
    judged(
        "WorkingDir that is missing below an unreadable directory",
        lambda: working("/opt/none/x", [Entry("opt/", kind="5", mode=0o700)], User="worker"),
    ),
    judged(
        "an entry of PATH through the parent of a WorkingDir that is missing",
        lambda: image(good(), evil(), Env=["PATH=/opt/none/../evil/bin:" + PATH], WorkingDir="/opt/none/work"),
    ),
    judged(
        "an entry of PATH through a WorkingDir that is a link to nothing",
        lambda: image(
            good(), evil(), [link("a", "/opt/none")], Env=["PATH=/opt/none/../evil/bin:" + PATH], WorkingDir="/a"
        ),
    ),
    unclear(
        "an entry of PATH through a volume that is missing",
        lambda: image(good(), evil(), Env=["PATH=/opt/none/../evil/bin:" + PATH], Volumes={"/opt/none": {}}),
    ),
    unclear(
        "an entry of PATH through /etc, which the image has not",
        lambda: image(good(), evil(), [file(".wh.etc")], Env=["PATH=/etc/../opt/evil/bin:" + PATH]),
    ),
    judged("volumes over prefixes", lambda: image(good(), evil(), Volumes={"/opt/good": {}, "/opt/good/bin": {}})),
    judged("WorkingDir that is a link", lambda: working("/a", [link("a", "opt/evil")])),
    judged("WorkingDir that is an absolute link", lambda: working("/a", [link("a", "/opt/evil")])),
    judged("WorkingDir that is a link to nothing", lambda: working("/a", [link("a", "/opt/none")])),
    judged("WorkingDir that is a link out of the root", lambda: working("/a", [link("a", "../../../opt/evil")])),
    judged("WorkingDir that is a file", lambda: working("/a", [file("a", "x")])),
    judged("WorkingDir below a file", lambda: working("/a/b", [file("a", "x")])),
    judged("WorkingDir with a slash at its end", lambda: working("/opt/evil/")),
    judged("WorkingDir with two slashes", lambda: working("//opt//evil")),
    judged("WorkingDir with a blank", lambda: working("/opt/evil ")),
    judged("WorkingDir of nothing", lambda: working("")),
    judged("WorkingDir of a dot", lambda: working(".")),
    judged("WorkingDir in proc", lambda: working("/proc/self/root/opt/evil")),
    judged("WorkingDir in dev", lambda: working("/dev/shm")),  # noqa: S108
    judged(
        "WorkingDir that the user may not enter",
        lambda: working("/opt/evil", [owned(Entry("opt/evil/", kind="5", mode=0o700), 0)], User="worker"),
    ),
    judged("WorkingDir with a tilde", lambda: working("~/x", evil("root/x"))),
    judged("WorkingDir with a backslash", lambda: working("\\opt\\evil")),
    judged("WorkingDir of Windows", lambda: working("C:\\opt\\evil")),
    cleared("WorkingDir that holds a bin of its own", lambda: working("/srv", [folder("srv/bin")])),
    judged("volume over the prefix", lambda: working("/srv", Volumes={"/opt/good": {}})),
    judged("volume over a missing directory", lambda: working("/srv", Volumes={"/srv": {}, "/var/x": {}})),
    judged("volume of a relative path", lambda: working("/srv", Volumes={"opt/good": {}})),
    judged("volume over the root", lambda: working("/srv", Volumes={"/": {}})),
    judged("volume over a link to the prefix", lambda: working("/srv", [link("v", "opt/good")], Volumes={"/v": {}})),
    judged("volume over a program", lambda: working("/srv", Volumes={"/opt/good/bin/conda": {}})),
    judged("volume over etc", lambda: working("/srv", Volumes={"/etc": {}})),
)
CASES: tuple[Case, ...] = (*FORMS, *WHOLE, *SPELLED, *DIRECTORIES)

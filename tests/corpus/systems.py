"""What lies in the images of the corpus: operating systems, Conda prefixes and Pythons, made up after real ones."""

import json

from tests.corpus.tarballs import Entry, file, folder, link, program

PREFIX = "opt/miniconda"
LINUX = b"\x7fELF\x02\x01\x01" + bytes(57)


def os_release(name: str = "ubuntu", version: str = "16.04", quote: str = '"') -> str:
    """An os-release of one system."""
    return (
        f"NAME={quote}{name.title()}{quote}\nVERSION={quote}{version} LTS{quote}\nID={name}\nID_LIKE=debian\n"
        f"PRETTY_NAME={quote}{name.title()} {version} LTS{quote}\nVERSION_ID={quote}{version}{quote}\n"
        f'HOME_URL="http://www.example.com/"\nUBUNTU_CODENAME=xenial\n'
    )


def lsb_release(name: str = "Ubuntu", version: str = "16.04") -> str:
    """An lsb-release of one system."""
    description = f'DISTRIB_DESCRIPTION="{name} {version}"'
    return f"DISTRIB_ID={name}\nDISTRIB_RELEASE={version}\nDISTRIB_CODENAME=xenial\n{description}\n"


def ubuntu(version: str = "16.04", name: str = "ubuntu") -> list[Entry]:
    """A base system, os-release behind its link as Debian and Ubuntu have it."""
    return [
        folder("bin"),
        program("bin/dash", elf()),
        link("bin/sh", "dash"),
        folder("etc"),
        link("etc/os-release", "../usr/lib/os-release"),
        file("etc/lsb-release", lsb_release(name.title(), version)),
        folder("usr"),
        folder("usr/bin"),
        program("usr/bin/env", elf()),
        folder("usr/lib"),
        file("usr/lib/os-release", os_release(name, version)),
    ]


def elf(*versions: str, before: str = "") -> bytes:
    """A program that carries these versions, each after `before` and ended by a NUL."""
    return LINUX + b"".join(f"\0{before}{version}\0".encode() for version in versions) + b"\0code"


def record(package: str, version: str, build: str = "0", **changes: object) -> str:
    """A record of conda-meta."""
    made = {
        "build": build,
        "build_number": 0,
        "channel": "https://repo.example.com/main",
        "depends": [],
        "name": package,
    }
    return json.dumps({**made, "version": version, **changes}, indent=2)


def conda_record(version: str = "4.5.12", build: str = "py36_0", prefix: str = PREFIX) -> Entry:
    """Conda's record of itself."""
    return file(f"{prefix}/conda-meta/conda-{version}-{build}.json", record("conda", version, build))


def python_record(version: str = "3.6.8", build: str = "h0371630_0", prefix: str = PREFIX) -> Entry:
    """Conda's record of Python."""
    return file(f"{prefix}/conda-meta/python-{version}-{build}.json", record("python", version, build))


def series(version: str) -> str:
    """`3.6` of `3.6.8`."""
    return ".".join(version.split(".")[:2])


def conda(version: str = "4.5.12", prefix: str = PREFIX) -> list[Entry]:
    """Conda without a Python."""
    return [
        folder(prefix),
        folder(f"{prefix}/bin"),
        program(f"{prefix}/bin/conda", f"#!/{prefix}/bin/python\n# conda entry point\n"),
        folder(f"{prefix}/conda-meta"),
        file(f"{prefix}/conda-meta/history", "==> 2019-07-11 00:00:00 <==\n"),
        conda_record(version, prefix=prefix),
    ]


def conda_python(version: str = "3.6.8", prefix: str = PREFIX) -> list[Entry]:
    """A Python as Conda installs it."""
    return [python_record(version, prefix=prefix), *python_files(version, prefix)]


def python_files(version: str, prefix: str) -> list[Entry]:
    """A program, its links and its header below a prefix."""
    short = series(version)
    return [
        program(f"{prefix}/bin/python{short}", elf(version)),
        link(f"{prefix}/bin/python3", f"python{short}"),
        link(f"{prefix}/bin/python", f"python{short}"),
        file(f"{prefix}/include/python{short}m/patchlevel.h", f'#define PY_VERSION      \t"{version}"\n'),
    ]


def system_python(version: str = "3.5.2") -> list[Entry]:
    """A Python as Debian installs it, without `python`."""
    short = series(version)
    status = f"Package: python{short}-minimal\nStatus: install ok installed\nVersion: {version}-2ubuntu0\n\n"
    return [
        program(f"usr/bin/python{short}", elf()),
        link("usr/bin/python3", f"python{short}"),
        file("var/lib/dpkg/status", status),
    ]


def miniconda(conda_version: str = "4.5.12", python_version: str = "3.6.8", prefix: str = PREFIX) -> list[Entry]:
    """A whole Conda prefix."""
    return [*conda(conda_version, prefix), *conda_python(python_version, prefix)]

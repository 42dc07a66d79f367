"""Builds the changes of an advice: each as words, as lines of a Dockerfile, and as data."""

from collections.abc import Mapping
from dataclasses import dataclass

from policy.advice.releases import Installer
from policy.rules.change import Action, Change, place, quoted

NEW_PREFIX = "/opt/miniconda"
_SHARED = ("conda", "forge", "mamba")
_ROOTS = frozenset({"", "0", "root"})


@dataclass(frozen=True, slots=True)
class ChangeBuilder:
    """Builds changes to an image whose User may lack the rights, so that commands switch to root.

    Attributes:
        user: the configured User; "" when there is none.
    """

    user: str = ""

    def run(self, command: str) -> tuple[str, ...]:
        """The lines that run a command as root; none when a Dockerfile cannot hold the command."""
        if not command.isprintable():
            return ()
        if self.user.partition(":")[0] in _ROOTS:
            return (f"RUN {command}",)
        return ("USER root", f"RUN {command}", f"USER {self.user}")

    def delete(self, path: str, why: str) -> Change:
        """Remove one file."""
        lines = self.run(f"rm {quoted(path)}")
        return Change(Action.DELETE, f"delete {place(path)}, {why}", lines, {"path": path})

    def link(self, path: str, target: str, why: str) -> Change:
        """Point a symbolic link at its right target."""
        words = f"set the link {place(path)} to {place(target)}: {why}"
        lines = self.run(f"ln -sfn {quoted(target)} {quoted(path)}")
        return Change(Action.LINK, words, lines, {"path": path, "target": target})

    def permit(self, path: str, why: str, prefix: str = "") -> Change:
        """Let everybody read a path (and execute what its owner may); above the prefix, only pass through."""
        inside = not prefix or f"{path}/".startswith(f"{prefix.rstrip('/')}/")
        mode = "a+rX" if inside else "a+x"
        lines = self.run(f"chmod {'-R ' if inside else ''}{mode} {quoted(path)}")
        words = f"let the image's User into {place(path)}, {why}"
        return Change(Action.MODE, words, lines, {"path": path, "mode": mode})

    def conda_install(self, prefix: str, package: str, spec: str, words: str) -> Change:
        """Run `conda install` in a prefix; by conda's full path, which does not depend on PATH."""
        program = f"{prefix.rstrip('/')}/bin/conda"
        wanted = f"'{spec}'" if ">" in spec or "<" in spec else spec
        about = {"package": package, "version": spec.removeprefix(package), "prefix": prefix, "conda": program}
        return Change(Action.CONDA, words, self.run(f"{quoted(program)} install -y {wanted}"), about)

    def reinstall(self, installer: Installer, prefix: str, why: str) -> Change:
        """Replace Conda's prefix; when other software may share it, install a new prefix and put it first on PATH."""
        file = f"{installer.name}-Linux-x86_64.sh"
        replaced = prefix and any(word in prefix.rpartition("/")[2] for word in _SHARED)
        home = prefix if replaced else NEW_PREFIX
        clear = f"rm -rf {quoted(home)} && " if replaced else ""
        words = (
            f"{'make ' + place(home) + ' anew' if replaced else 'install Conda into ' + home} with the installer "
            f"{installer.name} (Conda {installer.conda}, Python {installer.python}){why}"
        )
        lines = (f"COPY {file} /tmp/", *self.run(f"{clear}bash /tmp/{file} -b -p {quoted(home)}"))
        about = {"installer": installer.name, "conda": installer.conda, "python": installer.python, "prefix": home}
        if replaced:
            return Change(Action.INSTALLER, words, lines, about)
        first = f"{home}/bin"
        return Change(Action.INSTALLER, words, (*lines, f"ENV PATH={first}:$PATH"), {**about, "first": first})

    def path_first(self, directory: str, why: str) -> Change:
        """Put a directory in front of PATH."""
        line = f"ENV PATH={_in_env(directory)}:$PATH"
        return Change(Action.PATH, f"put {place(directory)} first on PATH, {why}", (line,), {"first": directory})

    def path_value(self, value: str, why: str) -> Change:
        """Write PATH anew."""
        return Change(Action.PATH, f"write PATH anew, {why}", (f"ENV PATH={_in_env(value)}",), {"value": value})


def quotes_in(environment: Mapping[str, str]) -> bool:
    """Whether the value of PATH contains quotation marks, which no shell removes."""
    return any(mark in environment.get("PATH", "") for mark in "\"'")


def unquoted(path: str) -> str:
    """PATH without quotation marks."""
    return path.replace('"', "").replace("'", "")


def _in_env(text: str) -> str:
    """A text quoted for ENV."""
    if all(sign.isalnum() or sign in "/._-:+@%" for sign in text):
        return text
    for sign in ("\\", '"', "$"):
        text = text.replace(sign, f"\\{sign}")
    return f'"{text}"'

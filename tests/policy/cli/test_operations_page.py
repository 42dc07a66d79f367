"""Every command that docs/operations.md shows does what a person would expect of it: it ends with 0."""

import json
import re
import shlex
import shutil
import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from policy.app import build
from policy.cli.main import basegate
from policy.settings import Settings
from registry.maintenance.copying import copy_rows
from registry.oci.names import RepositoryName, Tag
from tests.architecture.source import ROOT
from tests.clients.layouts import Layout
from tests.clients.trees import cleared_image
from tests.policy.cli.test_serve import status
from tests.policy.images_made import good
from tests.policy.lab import open_lab
from tests.server_process import serving
from tests.servers import running

_LINE = re.compile(r"^ {4}basegate (.+?)(?: {3,}.*)?$", re.MULTILINE)
_COMMANDS = list(dict.fromkeys(_LINE.findall((ROOT / "docs" / "operations.md").read_text(encoding="utf-8"))))
_REST = {
    "principal show": ["ci"],
    "principal rotate": ["ci"],
    "principal disable": ["ci"],
    "principal enable": ["ci"],
    "principal delete": ["ci", "--yes"],
    "repo show": ["team/app"],
    "repo rm": ["team/app", "--yes"],
    "tag ls": ["team/app"],
    "tag show": ["team/app:v1"],
    "tag rm": ["team/app:v1"],
    "manifest ls": ["team/app"],
    "manifest show": ["team/app:v1"],
    "manifest rm": ["team/app:v1", "--yes"],
    "policy show": ["azureml-2019-07"],
}
_LIVE = ("serve", "check", "explain", "watch")


def _each() -> Iterator[str]:
    """The commands, each alternative by itself."""
    for command in _COMMANDS:
        words = [word.split("|") if "'" not in word else [word] for word in command.split()]
        for first in words[0]:
            for second in words[1] if len(words) > 1 else [""]:
                yield " ".join([first, second, *command.split()[2:]]).strip()


@pytest.fixture(scope="module", name="template")
def _template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with an image, a principal, an exemption, a collection and a copy of the rows."""
    data = tmp_path_factory.mktemp("template") / "data"
    with open_lab(data) as lab:
        lab.pushed(good())
        lab.pushed(good(), Tag("v2"), RepositoryName("team/old"))
    for command in (
        ["principal", "create", "ci", "--role", "Owner"],
        ["principal", "create", "other", "--role", "Owner"],
        ["manifest", "rm", "team/old:v2", "--yes"],
        ["gc", "run"],
    ):
        assert CliRunner().invoke(basegate, [*command, "--data", str(data)]).exit_code == 0, command
    copy_rows(data)
    return data


@pytest.fixture(name="data")
def _data(template: Path, tmp_path: Path) -> Path:
    shutil.copytree(template, tmp_path / "data")
    return tmp_path / "data"


def _value(data: Path, *command: str) -> list[dict[str, str]]:
    found: list[dict[str, str]] = json.loads(
        CliRunner().invoke(basegate, [*command, "--json", "--data", str(data)]).stdout
    )
    return found


def _prepared(command: str, data: Path) -> list[str]:
    """The command's words for this folder; what comes before it on the page has been done."""
    words = [word.strip("[]") for word in shlex.split(command)]
    name = " ".join(words[:2])
    if name == "principal create":
        words[2] = "another"
    if name in {"gc undo", "policy revoke", "policy deactivate"} or "--check" in words or words[0] == "restore":
        _do_before(name, data)
    if words[0] == "rebuild":
        for path in data.glob("registry.db*"):
            path.unlink()
    places = {
        "data": str(data),
        "restored": str(data.parent / "restored"),
        "new": str(data.parent / "new"),
        "/backup/registry": str(data.parent / "kept"),
    }
    words = [places.get(word, word) for word in words if word != "…"]
    if "RUN" in words:
        words[words.index("RUN")] = _value(data, "trash", "ls")[0]["name"]
    if "EXEMPTION" in words:
        words[words.index("EXEMPTION")] = _value(data, "policy", "exemptions")[0]["id"]
    if "FILE" in words:
        (data.parent / "file.yaml").write_text("{}")
        words[words.index("FILE")] = str(data.parent / "file.yaml")
    return [*words[:2], *_REST.get(name, []), *words[2:]]


def _words_of(name: str) -> list[str]:
    """A command of the page, without its data folder."""
    return shlex.split(next(item for item in _COMMANDS if item.startswith(f"{name} ")))[:-2]


def _do_before(name: str, data: Path) -> None:
    at = ["--data", str(data)]
    before = {
        "gc undo": ["gc", "run"],
        "policy revoke": _words_of("policy exempt"),
        "policy deactivate": _words_of("policy activate"),
    }
    command = [*before.get(name, ["backup", str(data.parent / "kept")]), *at]
    assert CliRunner(env={"BASEGATE_GC__GRACE_SECONDS": "0"}).invoke(basegate, command).exit_code == 0


@pytest.mark.parametrize("command", [item for item in _each() if not item.startswith(_LIVE)])
def test_a_command_on_a_folder(data: Path, command: str) -> None:
    """Run in a folder in which there is something to do."""
    words = _prepared(command, data)
    result = CliRunner().invoke(basegate, words)
    assert result.exit_code == 0, (words, result.output)


def archives(folder: Path) -> None:
    """A cleared image as `layout` and as `base.tar`."""
    layout = Layout(folder / "layout")
    layout.add("v1", cleared_image())
    with tarfile.open(folder / "base.tar", "w") as archive:
        for file in sorted(layout.folder.iterdir()):
            archive.add(file, file.name)


@pytest.mark.parametrize("command", [item for item in _each() if item.startswith(("check", "explain", "watch"))])
def test_a_question_about_images(data: Path, command: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Asked of a running server, without credentials, as it takes none; or of a file before the push."""
    monkeypatch.chdir(data.parent)
    archives(data.parent)
    settings = {"data": data, "listen": "127.0.0.1:0", "log": {"level": "error"}, "operations": {"watch": False}}
    app = build(Settings.model_validate(settings | {"auth": {"required": False}}))
    with running(app) as live:
        monkeypatch.setenv("BASEGATE_GATEWAY", live.host)
        file = data.parent / "inference.json"
        image = {"name": "e", "docker": {"enabled": True, "baseImage": f"{live.host}/team/app:v1"}}
        file.write_text(json.dumps({"entryScript": "score.py", "environment": image}))
        words = command.replace("HOST:PORT/repository:tag", f"{live.host}/team/app:v1").replace("FILE", str(file))
        words = words.replace("127.0.0.1:5000", live.host) + (" --for 0" if words.startswith("watch") else "")
        result = CliRunner().invoke(basegate, shlex.split(words))
    assert result.exit_code == 0, result.output


def test_the_server_is_started(tmp_path: Path) -> None:
    """With a settings file, its folder, an address and a bootstrap file as the page shows it."""
    page = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
    (tmp_path / "bootstrap.yaml").write_text(re.search(r"^    - name: builder\n(?:      .*\n)+", page, re.MULTILINE)[0])  # type: ignore[index]
    (tmp_path / "builder-secret").write_text("0123456789abcdef\n")
    (tmp_path / "file.yaml").write_text("{}")
    words = ["--config", str(tmp_path / "file.yaml"), "--bootstrap-file", str(tmp_path / "bootstrap.yaml")]
    with serving(tmp_path / "data", *words) as server:
        assert status(server.host, "builder", "0123456789abcdef") == 200

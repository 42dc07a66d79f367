"""Commands on a data folder and on the server over it: the same words, the same output."""

import json
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from policy.cli.main import basegate
from policy.enforcement.gate import PolicyGate
from registry.oci.digest import Digest
from tests.clients.trees import cleared_image, refused_image
from tests.policy.cli.transfers import signed_in
from tests.policy.live import LiveGateway, live_gateway

Run = Callable[..., Result]
READS = (
    "repo ls",
    "repo show team/app",
    "tag ls team/app",
    "tag show team/app:good",
    "tag history team/app:good",
    "manifest ls team/app",
    "manifest show team/app:bad",
    "principal list",
    "principal show reader",
    "gc dry-run",
    "trash ls",
    "events ls",
    "events ls --kind tag.set --repository team/*",
    "policy list",
    "policy show azureml-2019-07",
    "policy replay azureml-2020-09",
    "policy exemptions",
    f"gc explain {Digest.of(b'nothing')}",
)
CHANGES = (
    "tag lock team/app:good",
    "tag unlock team/app:good",
    "tag rm team/app:good",
    "tag rollback team/app:good",
    "manifest rm team/app:bad --yes",
    "repo rm team/app --yes",
    "principal disable reader",
    "principal delete reader --yes",
    "gc run",
    "trash empty --yes",
    "retention run --yes",
    "policy activate azureml-2020-09 --repositories team/*",
)
_AGE = re.compile(r"\b[\d.]+ (?:s|min|h|d)\b *")
FORMS = ("", "--json", "--output json", "--output yaml", "--output table")


@pytest.fixture(scope="module", name="template")
def _template(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveGateway]:
    """`team/app` with an image that is cleared and one that is refused, and `team/other`; it is only looked at."""
    folder = tmp_path_factory.mktemp("both")
    with live_gateway(folder / "data") as live:
        live.push(folder / "good", "team/app:good", cleared_image())
        live.push(folder / "bad", "team/app:bad", refused_image())
        live.push(folder / "other", "team/other:v1", cleared_image())
        yield live


@pytest.fixture(name="live")
def _live(tmp_path: Path) -> Iterator[LiveGateway]:
    """The same in small, to change."""
    with live_gateway(tmp_path / "data") as live:
        live.push(tmp_path / "first", "team/app:good", refused_image())
        live.push(tmp_path / "good", "team/app:good", cleared_image())
        live.push(tmp_path / "bad", "team/app:bad", refused_image())
        gate = live.registry.app.services.gate
        assert isinstance(gate, PolicyGate)
        gate.results.settle()  # so that a copy of the folder knows all that was seen
        yield live


def on_folder(data: Path, command: str) -> Result:
    """On a data folder."""
    return CliRunner().invoke(basegate, [*command.split(), "--data", str(data)])


def on_server(live: LiveGateway, command: str, who: str = "admin") -> Result:
    """On the server, named first."""
    group, verb, *rest = command.split()
    return CliRunner().invoke(basegate, [group, verb, live.host, *rest], env=signed_in(live, who))


def said(told: Result) -> str:
    """What was printed, without ages and durations, and the spaces that make room for them."""
    return re.sub(" +", " ", _AGE.sub("AGE ", told.stdout))


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("command", READS)
def test_looking_tells_the_same(template: LiveGateway, command: str, form: str) -> None:
    """For people and for programs."""
    here = on_folder(template.registry.data, f"{command} {form}")
    there = on_server(template, f"{command} {form}")
    assert (here.exit_code, there.exit_code) == (0, 0), (here.output, there.output)
    assert (said(here), here.stderr) == (said(there), there.stderr)
    assert here.stdout


def test_a_plan_of_retention_tells_the_same(template: LiveGateway) -> None:
    """For people; to programs it tells when it was made."""
    here, there = on_folder(template.registry.data, "retention plan"), on_server(template, "retention plan")
    assert (here.exit_code, said(here)) == (there.exit_code, said(there)) == (0, said(here))
    assert here.stdout


@pytest.mark.parametrize("command", CHANGES)
def test_changing_tells_the_same(live: LiveGateway, tmp_path: Path, command: str) -> None:
    """And does the same."""
    shutil.copytree(live.registry.data, tmp_path / "copy")
    here, there = on_folder(tmp_path / "copy", command), on_server(live, command)
    assert (here.exit_code, there.exit_code) == (0, 0), (here.output, there.output)
    assert said(here) == said(there)
    for look in ("repo ls --json", "principal list"):
        left = [on_folder(data, look).stdout for data in (tmp_path / "copy", live.registry.data)]
        assert left[0] == left[1]


@pytest.mark.parametrize(
    "command", ["tag show {}/team/app:good", "manifest show {}/team/app:bad", "tag ls {}/team/app"]
)
def test_an_image_names_its_registry(template: LiveGateway, command: str) -> None:
    """HOST:PORT/NAME is the same as HOST:PORT NAME."""
    told = CliRunner().invoke(basegate, command.format(template.host).split(), env=signed_in(template, "admin"))
    assert said(told) == said(on_folder(template.registry.data, command.replace("{}/", "")))


def test_a_tag_that_looks_like_a_port(template: LiveGateway) -> None:
    """NAME:5000 alone is a tag of the data folder."""
    told = on_folder(template.registry.data, "tag show app:5000")
    assert "no repository app" in told.stderr


def test_a_folder_and_a_server(template: LiveGateway) -> None:
    """Both are one too many."""
    told = on_folder(template.registry.data, f"repo ls {template.host}")
    assert (told.exit_code, "--data" in told.stderr) == (2, True)


def test_stored_credentials_are_used(template: LiveGateway, tmp_path: Path) -> None:
    """Those that `basegate login` keeps."""
    environment = {"DOCKER_CONFIG": str(tmp_path), "HOME": str(tmp_path), "REGISTRY_AUTH_FILE": ""}
    login = ["login", template.host, "-u", "admin", "--password-stdin"]
    runner = CliRunner(env=environment)
    assert runner.invoke(basegate, login, input=template.secrets["admin"]).exit_code == 0
    assert runner.invoke(basegate, ["repo", "ls", template.host]).stdout.split() == ["team/app", "team/other"]


def test_a_secret_from_standard_input(template: LiveGateway, tmp_path: Path) -> None:
    """As docker login takes it."""
    words = ["repo", "ls", template.host, "-u", "admin", "--password-stdin"]
    told = CliRunner(env={"HOME": str(tmp_path)}).invoke(basegate, words, input=template.secrets["admin"] + "\n")
    assert told.stdout.split() == ["team/app", "team/other"]


def test_nobody_has_signed_in(template: LiveGateway, tmp_path: Path) -> None:
    """Says how."""
    told = CliRunner(env={"HOME": str(tmp_path)}).invoke(basegate, ["repo", "ls", template.host])
    assert (told.exit_code, f"basegate login {template.host}" in told.stderr) == (2, True)


@pytest.mark.parametrize("address", ["http://registry.example:5000", "http://192.0.2.1"])
def test_plain_http_beyond_this_machine(address: str) -> None:
    """Is refused before anything is sent."""
    told = CliRunner().invoke(basegate, ["repo", "ls", address, "-u", "admin", "-p", "x"])
    assert (told.exit_code, "plain HTTP" in told.stderr) == (2, True)


def test_what_may_not_be_done(template: LiveGateway) -> None:
    """The registry's own words."""
    told = on_server(template, "tag rm team/app:good", "reader")
    assert (told.exit_code, told.stderr.count("\n")) == (2, 1)
    assert "reader (role AcrPull) may not delete" in told.stderr


def test_what_is_withheld_is_not_told(template: LiveGateway) -> None:
    """Of a refused image who may only pull learns that it is there, not what it consists of."""
    told = on_server(template, "manifest show team/app:bad --json", "reader")
    document = json.loads(told.stdout)
    assert (document["references"], bool(document["withheld"])) == ([], True)


def test_who_sees_less_is_listed_less(template: LiveGateway) -> None:
    """The names of repositories elsewhere are not told."""
    assert on_server(template, "repo ls", "outsider").stdout == ""


def test_nothing_is_destroyed_unasked(live: LiveGateway) -> None:
    """Without --yes and a terminal."""
    told = on_server(live, "repo rm team/app")
    assert (told.exit_code, "--yes" in told.stderr) == (2, True)
    assert on_server(live, "repo ls").stdout.split() == ["team/app"]

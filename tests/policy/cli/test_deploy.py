"""`basegate deploy check`, `deployment`, `workspace` and `verify-receipt` against live servers, as they are typed."""

import base64
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from policy.cli.main import basegate
from policy.gateway.inference_config.interpret import interpret
from tests.clients.trees import cleared_image, refused_image
from tests.policy.client.playback import Playback, playing
from tests.policy.live import LiveGateway, live_gateway
from tests.waiting import wait_until


@dataclass(frozen=True, slots=True)
class Desk:
    """A person's folder with configuration files, and the gateway that its variables name."""

    folder: Path
    gateway: LiveGateway

    def config(self, **members: Any) -> Path:
        """The inference configuration."""
        file = self.folder / "inferenceconfig.json"
        file.write_text(json.dumps({"entryScript": "score.py", "runtime": "python"} | members))
        (self.folder / "deploymentconfig.json").write_text('{"computeType": "aks"}')
        return file

    def check(self, name: str, *more: str) -> Result:
        """The document's line, with another verb."""
        files = ["--ic", str(self.folder / "inferenceconfig.json"), "--dc", str(self.folder / "deploymentconfig.json")]
        line = ["deploy", "check", "-n", name, "-m", "mymodel:1", *files, "--ct", "akscomputetarget"]
        return self.run(*line, *more)

    def run(self, *line: str, who: str = "reader", **variables: str) -> Result:
        """A command."""
        secret = self.gateway.secrets[who]
        login = {"BASEGATE_GATEWAY": self.gateway.host, "BASEGATE_USERNAME": who, "BASEGATE_PASSWORD": secret}
        home = {"HOME": str(self.folder), "XDG_RUNTIME_DIR": "", "XDG_CONFIG_HOME": "", "DOCKER_CONFIG": ""}
        return CliRunner().invoke(basegate, list(line), env=home | login | variables)


@pytest.fixture(name="live", scope="module")
def _live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveGateway]:
    folder = tmp_path_factory.mktemp("deploying")
    with live_gateway(folder / "data") as live:
        live.push(folder / "good", "team/app:good", cleared_image())
        live.push(folder / "bad", "team/app:bad", refused_image())
        yield live


@pytest.fixture(name="elsewhere", scope="module")
def _elsewhere(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveGateway]:
    """A standalone registry, which judges images too."""
    folder = tmp_path_factory.mktemp("elsewhere")
    with live_gateway(folder / "data") as live:
        live.push(folder / "good", "team/app:good", cleared_image())
        yield live


@pytest.fixture(name="desk")
def _desk(tmp_path: Path, live: LiveGateway) -> Desk:
    return Desk(tmp_path, live)


def standalone(desk: Desk, host: str, password: str) -> None:
    """Have the configuration name an image of another registry, with a login."""
    login = {"address": host, "username": "reader", "password": password}
    docker = {"baseImage": f"{host}/team/app:good", "baseImageRegistry": login}
    file = desk.config()
    file.write_text(json.dumps({"entryScript": "score.py", "environment": {"name": "e", "docker": docker}}))


def test_allowed(desk: Desk) -> None:
    """Exit code 0; what was written, and how the image is let go of."""
    desk.config(baseImage=f"{desk.gateway.host}/team/app:good")
    result = desk.check("allowed")
    assert (result.exit_code, result.stdout.partition(":")[0]) == (0, "allowed")
    assert "basegate deployment release d-" in result.stdout
    assert (desk.folder / "allowed.receipt").stat().st_mode & 0o777 == 0o600


def test_the_configuration_is_pinned(desk: Desk) -> None:
    """The file beside it names the digest, and is allowed as well."""
    desk.config(baseImage=f"{desk.gateway.host}/team/app:good", description="mine")
    desk.check("pinned")
    pinned = json.loads((desk.folder / "inferenceconfig.pinned.json").read_text())
    assert re.fullmatch(rf"{desk.gateway.host}/team/app@sha256:[0-9a-f]{{64}}", pinned["baseImage"])
    assert (pinned["description"], pinned["entryScript"]) == ("mine", "score.py")


def test_denied(desk: Desk) -> None:
    """Exit code 1, and nothing is written or recorded."""
    desk.config(baseImage=f"{desk.gateway.host}/team/app:bad")
    result = desk.check("denied")
    assert (result.exit_code, "needs 3.5.x or 3.6.x" in result.stdout) == (1, True)
    assert not list(desk.folder.glob("*.receipt"))


@pytest.mark.parametrize("text", ["", "{", "baseImage: {{acr}}/app:v1\n"])
def test_a_file_that_cannot_be_read(desk: Desk, text: str) -> None:
    """Exit code 2."""
    desk.config().write_text(text)
    assert desk.check("unreadable").exit_code == 2


def test_files_that_are_swapped(desk: Desk) -> None:
    """Each is named as what it is."""
    desk.config(baseImage=f"{desk.gateway.host}/team/app:good")
    files = ["--ic", str(desk.folder / "deploymentconfig.json"), "--dc", str(desk.folder / "inferenceconfig.json")]
    result = desk.run("deploy", "check", "-n", "swapped", "-m", "m:1", *files)
    assert result.exit_code == 2
    assert "which goes with --dc" in result.stderr
    assert "which goes with --ic" in result.stderr


def test_files_that_the_service_will_need(desk: Desk) -> None:
    """A note for each that is not there; none for one beside the configuration."""
    desk.config(baseImage=f"{desk.gateway.host}/team/app:good", condaFile="infenv.yml")
    (desk.folder / "score.py").write_text("")
    result = desk.check("files")
    assert "condaFile infenv.yml is not here" in result.stdout
    assert "score.py is not here" not in result.stdout


def test_no_record(desk: Desk) -> None:
    """Only the answer."""
    desk.config(baseImage=f"{desk.gateway.host}/team/app:good")
    result = desk.check("unrecorded", "--no-record", "--json")
    assert (result.exit_code, json.loads(result.stdout)["deployment"]) == (0, None)
    assert not list(desk.folder.glob("*.receipt"))


def test_a_standalone_registry_and_the_command_line(desk: Desk, elsewhere: LiveGateway) -> None:
    """Refused, as the document says, whatever the login is worth."""
    standalone(desk, elsewhere.host, elsewhere.secrets["reader"])
    result = desk.check("alone", "--profile", "cli")
    assert (result.exit_code, "is a standalone registry" in result.stdout) == (1, True)


@pytest.mark.parametrize("gateway", [True, False])
def test_a_standalone_registry_and_the_sdk(desk: Desk, elsewhere: LiveGateway, gateway: bool) -> None:
    """The login is good: the registry itself judges and records; with and without a gateway of one's own."""
    standalone(desk, elsewhere.host, elsewhere.secrets["reader"])
    files = ["--ic", str(desk.folder / "inferenceconfig.json"), "--dc", str(desk.folder / "deploymentconfig.json")]
    own = {} if gateway else {"BASEGATE_GATEWAY": "", "BASEGATE_USERNAME": "", "BASEGATE_PASSWORD": ""}
    line = ["deploy", "check", "-n", "alone", "-m", "m:1", *files, "--ct", "c", "--profile", "sdk", "--json"]
    found = json.loads(desk.run(*line, **own).stdout)
    assert (found["allowed"], found["registryKind"], found["deployment"]["state"]) == (True, "standalone", "recorded")


def test_the_login_of_a_standalone_registry_is_tried(desk: Desk, elsewhere: LiveGateway) -> None:
    """A wrong password is a fault of the configuration, and is not shown."""
    standalone(desk, elsewhere.host, "wrong-horse")
    result = desk.check("alone", "--profile", "sdk")
    assert (result.exit_code, "refuses the user name reader" in result.stdout) == (1, True)
    assert "wrong-horse" not in result.output


def test_a_standalone_registry_that_judges_nothing(desk: Desk) -> None:
    """The login is good, and nobody can tell."""
    with playing() as other:
        other.body, other.headers = {}, {"Docker-Content-Digest": "sha256:" + "a" * 64}
        standalone(desk, other.host, "secret")
        result = desk.check("alone", "--profile", "sdk")
    assert result.exit_code == 2
    assert "takes the user name and password" in result.stderr
    assert "basegate copy" in result.stderr


def test_a_login_for_the_workspaces_own_registry_is_tried(desk: Desk) -> None:
    """Although the service would not need it: wrong is wrong, and nothing is recorded."""
    standalone(desk, desk.gateway.host, "wrong-horse")
    result = desk.check("own-login", "--json")
    assert (result.exit_code, json.loads(result.stdout)["deployment"]) == (1, None)


def test_a_login_of_the_configuration_is_enough(desk: Desk) -> None:
    """For the gateway that it is for, where the caller has none."""
    standalone(desk, desk.gateway.host, desk.gateway.secrets["reader"])
    line = ["deploy", "check", "-n", "enough", "-m", "m:1", *_files(desk)]
    assert desk.run(*line, BASEGATE_USERNAME="", BASEGATE_PASSWORD="").exit_code == 0


def test_given_credentials_do_not_go_where_only_the_file_leads(desk: Desk) -> None:
    """Without a gateway nobody but the file has named the registry."""
    with playing() as other:
        desk.config(baseImage=f"{other.host}/team/app:v1")
        result = desk.run("deploy", "check", "-n", "led", "-m", "m:1", *_files(desk), BASEGATE_GATEWAY="")
        assert (result.exit_code, other.asked) == (2, [])
    assert "were not sent" in result.stderr


def _files(desk: Desk) -> list[str]:
    folder = desk.folder
    return ["--ic", str(folder / "inferenceconfig.json"), "--dc", str(folder / "deploymentconfig.json"), "--ct", "c"]


def test_no_password_leaves_for_the_gateway(desk: Desk) -> None:
    """What the configuration and the deployment configuration hold stays here."""
    with playing() as gateway:
        standalone(desk, "other.example", "secret-one")
        (desk.folder / "deploymentconfig.json").write_text(
            '{"computeType": "aks", "keys": {"primaryKey": "secret-two"}}'
        )
        desk.check("secrets", "--gateway", gateway.host)
        sent = _sent(gateway)
    assert "(withheld)" in sent
    assert "secret-" not in sent


def _sent(gateway: Playback) -> str:
    return "".join(body.decode() for *_, body in gateway.asked)


def test_list_show_and_release(desk: Desk) -> None:
    """By what `deploy check` has printed."""
    desk.config(baseImage=f"{desk.gateway.host}/team/app:good")
    identifier = json.loads(desk.check("listed", "--json").stdout)["deployment"]["id"]
    assert f"{identifier}  listed  recorded" in desk.run("deployment", "ls").stdout
    assert json.loads(desk.run("deployment", "show", identifier, "--json").stdout)["name"] == "listed"
    assert desk.run("deployment", "release", identifier).stdout.startswith("released:")
    assert '"state": "released"' in desk.run("deployment", "show", identifier, "--json").stdout


@pytest.mark.parametrize("line", [["show", "d-0"], ["release", "d-0"], ["show", "../keys"]])
def test_one_that_is_not_there(desk: Desk, line: list[str]) -> None:
    """Exit code 2."""
    assert desk.run("deployment", *line).exit_code == 2


def test_no_gateway(desk: Desk) -> None:
    """What to give."""
    result = desk.run("deployment", "ls", BASEGATE_GATEWAY="")
    assert result.exit_code == 2


def test_workspaces(desk: Desk) -> None:
    """Created by an owner, and asked for as az asks."""
    assert desk.run("workspace", "create", "lab1", "-g", "group", who="admin").exit_code == 0
    assert desk.run("workspace", "create", "lab2").exit_code == 2
    query = ["workspace", "show", "-w", "lab1", "-g", "group", "--query", "containerRegistry"]
    assert desk.run(*query).stdout == "null\n"
    desk.config(baseImage=f"{desk.gateway.host}/team/app:good")
    desk.check("in-lab1", "-w", "lab1")
    assert json.loads(desk.run(*query).stdout).endswith("/registries/basegate")


def recorded(desk: Desk, name: str) -> tuple[Path, Path]:
    """The receipt of a deployment, and the keys to verify it with."""
    desk.config(baseImage=f"{desk.gateway.host}/team/app:good")
    desk.check(name)
    keys = desk.folder / "keys.json"
    keys.write_text(desk.run("deployment", "keys").stdout)
    return desk.folder / f"{name}.receipt", keys


def test_a_receipt_is_verified_offline(desk: Desk) -> None:
    """Without a gateway; with the keys, or where the data folder is."""
    receipt, keys = recorded(desk, "verified")
    offline = {"BASEGATE_GATEWAY": "127.0.0.1:1"}
    result = desk.run("verify-receipt", str(receipt), "--keys", str(keys), **offline)
    data = str(desk.gateway.registry.data)
    assert (result.exit_code, result.stdout.partition(":")[0]) == (0, "holds")
    assert desk.run("verify-receipt", str(receipt), "--data", data, **offline).exit_code == 0


def test_the_configuration_is_the_one_of_the_receipt(desk: Desk) -> None:
    """As it was pinned, and no other."""
    receipt, keys = recorded(desk, "same-config")
    pinned = desk.folder / "inferenceconfig.pinned.json"
    line = ["verify-receipt", str(receipt), "--keys", str(keys), "--ic", str(pinned)]
    before = desk.run(*line).exit_code
    pinned.write_text(pinned.read_text().replace("score.py", "other.py"))
    assert (before, desk.run(*line).exit_code) == (0, 1)


def test_a_receipt_of_another_image(desk: Desk) -> None:
    """Exit code 1."""
    receipt, keys = recorded(desk, "other-image")
    line = ["verify-receipt", str(receipt), "--keys", str(keys), "--image"]
    digest = json.loads(desk.run(*line[:-1], "--json").stdout)["image"]["digest"]
    assert desk.run(*line, digest).exit_code == 0
    assert desk.run(*line, "sha256:" + "0" * 64).exit_code == 1


def test_a_receipt_that_was_changed(desk: Desk) -> None:
    """Exit code 1; one that is none, or keys that are none: 2."""
    receipt, keys = recorded(desk, "changed")
    head, claims, signature = receipt.read_text().strip().split(".")
    receipt.write_text(f"{head}.{claims}.{signature[::-1]}")
    assert desk.run("verify-receipt", str(receipt), "--keys", str(keys)).exit_code == 1
    assert desk.run("verify-receipt", str(keys), "--keys", str(keys)).exit_code == 2
    assert desk.run("verify-receipt", str(receipt), "--keys", str(receipt)).exit_code == 2
    assert desk.run("verify-receipt", str(receipt)).exit_code == 2


def test_the_key_of_receipts_is_rotated(desk: Desk, live: LiveGateway) -> None:
    """The server signs with the new one at once; a receipt of the earlier one holds with keys that are fetched anew."""
    desk.config(baseImage=f"{live.host}/team/app:good")
    receipts = [desk.folder / name for name in ("first.receipt", "second.receipt")]
    desk.check("first")
    rotated = desk.run("deployment", "key", "rotate", "--data", str(live.registry.data)).output
    new = json.loads(rotated)["keys"][0]["kid"]
    wait_until(lambda: new in desk.run("deployment", "keys").output)
    desk.check("second")
    (desk.folder / "keys.json").write_text(desk.run("deployment", "keys").output)
    kids = [json.loads(base64.b64decode(each.read_text().split(".")[0] + "==="))["kid"] for each in receipts]
    verified = [desk.run("verify-receipt", str(each), "--keys", str(desk.folder / "keys.json")) for each in receipts]
    assert [done.exit_code for done in verified] == [0, 0]
    assert (kids[0] != new, kids[1]) == (True, new)


def test_what_was_pinned_reads_as_before(desk: Desk) -> None:
    """In the environment form, with the password that it had."""
    standalone(desk, desk.gateway.host, desk.gateway.secrets["reader"])
    desk.check("environment")
    pinned = json.loads((desk.folder / "inferenceconfig.pinned.json").read_text())
    assert "@sha256:" in interpret(pinned).image
    assert pinned["environment"]["docker"]["baseImageRegistry"]["password"] == desk.gateway.secrets["reader"]


def test_flags_win_over_the_configuration(desk: Desk, live: LiveGateway) -> None:
    """Those of az: the image of the flag is judged and pinned, with the script that the flag names."""
    desk.config(baseImage=f"{live.host}/team/app:bad", entryScript=None)
    denied = desk.check("flagged")
    allowed = desk.check("flagged", "--bi", f"{live.host}/team/app:good", "--entry-script", "score.py")
    assert (denied.exit_code, allowed.exit_code) == (1, 0), allowed.output
    pinned = json.loads((desk.folder / "inferenceconfig.pinned.json").read_text())
    assert pinned["baseImage"].startswith(f"{live.host}/team/app@sha256:")
    assert pinned["entryScript"] == "score.py"
    assert "enableGpu" not in pinned

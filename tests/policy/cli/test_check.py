"""`basegate check` and `basegate explain` from outside: output, exit codes, and whose credentials are sent."""

import base64
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner, Result

from policy.cli.main import basegate
from policy.gateway.check_result import CheckResult
from tests.policy.client.playback import Playback, playing

CLEARED = CheckResult(
    allowed=True,
    verdict="cleared",
    reference="h:1/team/app:v1",
    digest="sha256:" + "a" * 64,
    policy={"name": "azureml-2019-07", "digest": "sha256:" + "b" * 64},
    facts={"os": {"id": "ubuntu", "version": "16.04"}, "conda": {"version": "4.5.12"}, "python": {"version": "3.6.8"}},
)


@pytest.fixture(name="server")
def _server() -> Iterator[Playback]:
    with playing() as running:
        running.body = CLEARED.document()
        yield running


def run(home: Path, *arguments: str, stdin: str = "") -> Result:
    """Run a command with a home of its own."""
    environment = {"HOME": str(home), "XDG_RUNTIME_DIR": "", "XDG_CONFIG_HOME": "", "DOCKER_CONFIG": ""}
    return CliRunner(env={"COLUMNS": ""}).invoke(basegate, list(arguments), input=stdin, env=environment)


def config(folder: Path, document: dict[str, Any]) -> str:
    """A configuration file with what every configuration needs."""
    file = folder / "ic.json"
    file.write_text(json.dumps({"entryScript": "score.py", "runtime": "python"} | document))
    return str(file)


def sent_login(server: Playback) -> str:
    """User and password of the last request."""
    return base64.b64decode(server.asked[-1][2].removeprefix("Basic ")).decode()


def test_allowed(server: Playback, tmp_path: Path) -> None:
    """A cleared image: exit code 0 and the decision first."""
    result = run(tmp_path, "check", f"{server.host}/team/app:v1")
    assert (result.exit_code, result.stdout.splitlines()[0][:8]) == (0, "allowed:")


def test_denied(server: Playback, tmp_path: Path) -> None:
    """A refused image: exit code 1."""
    server.body |= {"allowed": False, "verdict": "refused"}
    result = run(tmp_path, "check", f"{server.host}/team/app:v1")
    assert (result.exit_code, result.stdout.splitlines()[0][:7]) == (1, "denied:")


def test_json(server: Playback, tmp_path: Path) -> None:
    """`--json` prints the answer as it came."""
    result = run(tmp_path, "check", f"{server.host}/team/app:v1", "--json")
    assert json.loads(result.stdout) == server.body


def test_the_settings_name_the_gateway(server: Playback, tmp_path: Path) -> None:
    """Where no flag and no variable does."""
    settings = tmp_path / "basegate.yaml"
    settings.write_text(f"client: {{gateway: '{server.host}'}}\n")
    environment = {"HOME": str(tmp_path), "XDG_RUNTIME_DIR": "", "BASEGATE_CONFIG": str(settings)}
    result = CliRunner().invoke(basegate, ["check", "other.example/team/app:v1"], env=environment)
    assert result.exit_code == 0
    assert json.loads(server.asked[-1][3]) == {"reference": "other.example/team/app:v1"}


def test_a_file_without_an_image_is_the_gateways_to_judge(server: Playback, tmp_path: Path) -> None:
    """The document goes there, and no secret of it."""
    login = {"address": server.host, "username": "u", "password": "hunter2"}
    file = config(tmp_path, {"baseImage": None, "baseImageRegistry": login})
    assert run(tmp_path, "check", "--inference-config", file, "--gateway", server.host).exit_code == 0
    assert json.loads(server.asked[-1][3])["inferenceConfig"]["baseImageRegistry"]["password"] == "(withheld)"


def test_a_platform_is_the_gateways_to_compare(server: Playback, tmp_path: Path) -> None:
    """The whole document goes there."""
    platform = {"os": "Linux", "architecture": "arm64"}
    file = tmp_path / "ic.json"
    docker = {"baseImage": f"{server.host}/team/app:v1", "platform": platform}
    file.write_text(json.dumps({"entryScript": "score.py", "environment": {"docker": docker}}))
    assert run(tmp_path, "check", "--inference-config", str(file)).exit_code == 0
    assert json.loads(server.asked[-1][3])["inferenceConfig"]["environment"]["docker"]["platform"] == platform


def test_not_found(server: Playback, tmp_path: Path) -> None:
    """An image that the registry does not hold: exit code 2, the reason on standard error."""
    server.body = CheckResult.unresolved("h:1/team/app:v1", "it is not in this registry").document()
    result = run(tmp_path, "check", f"{server.host}/team/app:v1")
    assert result.exit_code == 2
    assert "it is not in this registry" in result.stderr


def test_trouble_as_json(server: Playback, tmp_path: Path) -> None:
    """Programs get an answer of the same shape when nothing could be told."""
    server.status = 401
    result = run(tmp_path, "check", f"{server.host}/team/app:v1", "--json")
    document = json.loads(result.stdout)
    assert (result.exit_code, document["allowed"], document["digest"]) == (2, False, None)
    assert "docker login" in document["findings"][0]["message"]


def test_flags_win(server: Playback, tmp_path: Path) -> None:
    """`--username` with `--password-stdin` is what is sent."""
    run(tmp_path, "check", f"{server.host}/a:v1", "--username", "u", "--password-stdin", stdin="p w\n")
    assert sent_login(server) == "u:p w"


def test_stored_credentials(server: Playback, tmp_path: Path) -> None:
    """Without flags docker's stored credentials are sent."""
    (tmp_path / ".docker").mkdir()
    auth = base64.b64encode(b"stored:s").decode()
    (tmp_path / ".docker/config.json").write_text(json.dumps({"auths": {server.host: {"auth": auth}}}))
    run(tmp_path, "check", f"{server.host}/a:v1")
    assert sent_login(server) == "stored:s"


def test_credentials_of_the_configuration(server: Playback, tmp_path: Path) -> None:
    """The configuration's own credentials are used for its registry."""
    login = {"address": f"http://{server.host}/", "username": "sp", "password": "hunter2"}
    file = config(tmp_path, {"baseImage": f"{server.host}/a:v1", "baseImageRegistry": login})
    result = run(tmp_path, "check", "--inference-config", file, "--json")
    assert sent_login(server) == "sp:hunter2"
    assert "hunter2" not in result.output


def test_credentials_go_to_their_own_registry_only(server: Playback, tmp_path: Path) -> None:
    """Credentials for another registry than the image's are not sent."""
    login = {"address": "other.example", "username": "sp", "password": "hunter2"}
    file = config(tmp_path, {"baseImage": f"{server.host}/a:v1", "baseImageRegistry": login})
    run(tmp_path, "check", "--inference-config", file)
    assert server.asked[-1][2] == ""


def test_a_faulty_configuration_denies(server: Playback, tmp_path: Path) -> None:
    """A configuration that the service would refuse is denied, although its image is cleared."""
    file = config(tmp_path, {"baseImage": f"{server.host}/a:v1", "runtime": "spark-py"})
    result = run(tmp_path, "check", "--inference-config", file, "--json")
    document = json.loads(result.stdout)
    assert (result.exit_code, document["allowed"], document["verdict"]) == (1, False, "cleared")
    assert document["findings"][0]["rule"] == "inference-config"


def test_a_configuration_without_image(tmp_path: Path) -> None:
    """The service's own default image cannot be judged."""
    assert run(tmp_path, "check", "--inference-config", config(tmp_path, {})).exit_code == 2


@pytest.mark.parametrize("content", ["[1]", "\xff", "a: [", None])
def test_an_unreadable_configuration(tmp_path: Path, content: str | None) -> None:
    """A file that is missing or no configuration: exit code 2 and one sentence."""
    file = tmp_path / "ic.yaml"
    if content is not None:
        file.write_bytes(content.encode("latin-1"))
    result = run(tmp_path, "check", "--inference-config", str(file))
    assert result.exit_code == 2
    assert "could not tell" in result.stderr


def test_docker_hub_is_not_asked(tmp_path: Path) -> None:
    """An image without a registry is Docker Hub's, where there is nobody to ask."""
    result = run(tmp_path, "check", "ubuntu:16.04")
    assert result.exit_code == 2
    assert "docker.io" in result.stderr


def test_another_gateway_can_be_named(server: Playback, tmp_path: Path) -> None:
    """`--gateway` asks a registry about an image that is elsewhere."""
    run(tmp_path, "check", "mcr.microsoft.com/azureml/base:1", "--gateway", server.host)
    assert json.loads(server.asked[0][3]) == {"reference": "mcr.microsoft.com/azureml/base:1"}


@pytest.mark.parametrize("arguments", [(), ("h:1/a:v1", "--inference-config", "x"), ("h:1/a:v1", "--password-stdin")])
def test_wrong_usage(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    """Wrong usage is exit code 2 as well."""
    assert run(tmp_path, "check", *arguments).exit_code == 2


PENDING = CLEARED.document() | {"allowed": False, "verdict": "pending"}


def test_wait_asks_again_while_the_verdict_is_pending(server: Playback, tmp_path: Path) -> None:
    """The answer of the last question counts."""
    server.body, server.later = PENDING, [CLEARED.document()]
    result = run(tmp_path, "check", f"{server.host}/team/app:v1", "--wait", "60")
    assert (result.exit_code, len(server.asked)) == (0, 2)


def test_wait_ends(server: Playback, tmp_path: Path) -> None:
    """Still pending after the time: could not tell, which is not denied."""
    server.body = PENDING
    waited = run(tmp_path, "check", f"{server.host}/team/app:v1", "--wait", "0.1")
    assert (waited.exit_code, len(server.asked)) == (2, 2)
    assert "is not judged yet" in waited.stdout
    assert run(tmp_path, "check", f"{server.host}/team/app:v1").exit_code == 1


def test_wait_does_not_ask_again_for_an_answer(server: Playback, tmp_path: Path) -> None:
    """A refusal is an answer."""
    server.body |= {"allowed": False, "verdict": "refused"}
    result = run(tmp_path, "check", f"{server.host}/team/app:v1", "--wait", "60")
    assert (result.exit_code, len(server.asked)) == (1, 1)


def test_a_faulty_configuration_denies_a_pending_image(server: Playback, tmp_path: Path) -> None:
    """What stands against it already is not waited for to be said."""
    server.body = PENDING
    file = config(tmp_path, {"baseImage": f"{server.host}/a:v1", "runtime": "spark-py"})
    assert run(tmp_path, "check", "--inference-config", file, "--wait", "0").exit_code == 1


def explained(**changes: Any) -> dict[str, Any]:
    """An explanation of an image, as the registry answers it."""
    place = {"index": 3, "layer": "sha256:" + "c" * 64, "path": "opt/conda/[bold]x\x1b[31m", "value": "4.5.12"}
    conda = {"subject": "conda", "value": {"version": "4.5.12"}, "judged": True, "note": "", "evidence": []}
    conda["evidence"] = [place | {"state": "shadowed", "shadowed_by": 5}]
    absent = {"python": [place | {"state": "absent", "index": -1, "path": "usr/bin/python", "shadowed_by": -1}]}
    return CLEARED.document() | {"image": {"facts": [conda], "absent": absent}, "children": []} | changes


def test_explain(server: Playback, tmp_path: Path) -> None:
    """Facts and evidence are shown, and what an image holds cannot steer the terminal."""
    server.body = explained()
    result = run(tmp_path, "explain", f"{server.host}/team/app:v1")
    assert result.exit_code == 0
    assert "[bold]x\\x1b[31m" in result.stdout
    assert "shadowed by layer 5" in result.stdout
    assert "usr/bin/python" in result.stdout


def test_explain_is_as_wide_as_columns_says(server: Playback, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """On a pipe too."""
    server.body = explained()
    monkeypatch.setenv("COLUMNS", "70")
    words = ["explain", f"{server.host}/team/app:v1"]
    told = CliRunner(env={"HOME": str(tmp_path)}).invoke(basegate, words)
    tables = [line for line in told.stdout.splitlines() if line.startswith(("┃", "│", "┏", "└"))]
    assert 0 < max(map(len, tables)) <= 70


def test_explain_yaml(server: Playback, tmp_path: Path) -> None:
    """The same document as YAML, also of a check."""
    server.body = explained(allowed=False)
    result = run(tmp_path, "explain", f"{server.host}/team/app:v1", "--output", "yaml")
    assert (result.exit_code, yaml.safe_load(result.stdout)) == (1, server.body)


def test_explain_json(server: Playback, tmp_path: Path) -> None:
    """`--json` prints the whole document; the exit code tells the decision."""
    server.body = explained(allowed=False)
    result = run(tmp_path, "explain", f"{server.host}/team/app:v1", "--json")
    assert (result.exit_code, json.loads(result.stdout)) == (1, server.body)


def test_explain_could_not_tell(server: Playback, tmp_path: Path) -> None:
    """A manifest that is not there: exit code 2 and the registry's own words."""
    server.status, server.body = 404, {"errors": [{"code": "MANIFEST_UNKNOWN", "message": "team/app holds no v9"}]}
    result = run(tmp_path, "explain", f"{server.host}/team/app:v9")
    assert (result.exit_code, "team/app holds no v9" in result.stderr) == (2, True)

"""`basegate tls init`."""

import json
from pathlib import Path

from click.testing import CliRunner

from policy.cli.main import basegate


def init(data: Path, *words: str) -> str:
    """Run the command; its output."""
    result = CliRunner().invoke(basegate, ["tls", "init", "--data", str(data), *words])
    assert result.exit_code == 0, result.output
    return result.output


def test_guide_names_the_place_of_each_client(tmp_path: Path) -> None:
    """Whoever reads it can copy the line for the client at hand."""
    guide = init(tmp_path, "--host", "reg.example", "--port", "5443")
    for place in (
        "/etc/docker/certs.d/reg.example:5443/ca.crt",
        "/etc/containers/certs.d/reg.example:5443/ca.crt",
        "/etc/containerd/certs.d/reg.example:5443/hosts.toml",
        "/usr/local/share/ca-certificates/basegate.crt",
        "REQUESTS_CA_BUNDLE",
        f"--tls-cert {tmp_path}/tls/server.crt --tls-key {tmp_path}/tls/server.key",
    ):
        assert place in guide


def test_second_run_says_that_it_renewed(tmp_path: Path) -> None:
    """And that nobody needs a new CA."""
    init(tmp_path)
    assert "the CA is the same as before" in init(tmp_path)


def test_answer_for_programs(tmp_path: Path) -> None:
    """Paths, names and the end."""
    document = json.loads(init(tmp_path, "--json"))
    assert list(document) == ["ca", "certificate", "key", "hosts", "expires", "renewed"]
    assert Path(document["ca"]).exists()


def test_mistake_is_one_line(tmp_path: Path) -> None:
    """Without a traceback."""
    result = CliRunner().invoke(basegate, ["tls", "init", "--data", str(tmp_path), "--host", "https://reg.example"])
    assert result.exit_code == 2
    assert result.output.count("\n") == 1

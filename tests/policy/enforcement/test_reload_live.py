"""Settings of policies and gateway that change under a running `basegate serve`: signals, files, broken files."""

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from registry.oci.digest import Digest
from tests.halfway import HalfwayUpload
from tests.policy.images_made import (
    MadeImage,
    bad,
    base,
    image,
    layer,
    miniconda,
    noise,
)
from tests.repository import Repository, code_of
from tests.server_process import Serving, serving

OLD, YOUNG = "azureml-2019-07", "azureml-2020-09"
RELOADED, REFUSED = "settings reloaded", "the new settings are refused"
_SECRET = re.compile(r"^  (admin|reader) +\S+ +(\S+)$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Followed:
    """A server and the settings file that it follows."""

    serving: Serving
    file: Path
    secrets: dict[str, str]

    def write(self, **settings: Any) -> None:
        """Save other settings."""
        self.file.write_text(json.dumps(settings))

    def reloaded(self, **settings: Any) -> None:
        """Save other settings, send SIGHUP, and wait until they count."""
        self.write(**settings)
        self.serving.reload()
        self.serving.logged(RELOADED)

    def client(self, name: str) -> httpx.Client:
        """An HTTP client that signs in; the caller closes it."""
        return httpx.Client(base_url=f"http://{self.serving.host}", auth=(name, self.secrets[name]), timeout=30)

    def url(self, path: str) -> str:
        """A URL that signs in as admin."""
        return f"http://admin:{self.secrets['admin']}@{self.serving.host}{path}"

    def push(self, made: MadeImage) -> None:
        """Push an image as team/app:v1."""
        with self.client("admin") as client:
            repository = Repository(client, "team/app")
            for content in made.blobs:
                repository.blob(content)
            assert repository.put("v1", made.manifest).status_code == 201

    def pulled(self) -> httpx.Response:
        """What a reader gets who pulls team/app:v1."""
        with self.client("reader") as client:
            return Repository(client, "team/app").get("manifests/v1")

    def allows(self, reference: str) -> bool:
        """Whether an image may be referenced for a deployment."""
        with self.client("reader") as client:
            answer = client.post("/policy/v1/references:check", json={"reference": reference})
        return bool(answer.raise_for_status().json()["allowed"])


@contextmanager
def followed(folder: Path, *, watch: bool = False, **settings: Any) -> Iterator[Followed]:
    """Start a server with a settings file."""
    file = folder / "basegate.yaml"
    file.write_text(json.dumps(settings))
    more = {"BASEGATE_LOG__LEVEL": "warning", "BASEGATE_OPERATIONS__WATCH": str(watch).lower()}
    with serving(folder / "data", "--config", str(file), **more) as running:
        printed = running.wait_for(re.compile(r"(?s)^  admin.*^  reader [^\n]*\n", re.MULTILINE))[0]
        yield Followed(running, file, dict(_SECRET.findall(printed)))


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Followed]:
    """A server that follows SIGHUP alone, with an image that its policy refuses and a later one clears."""
    with followed(tmp_path) as running:
        running.push(bad())
        yield running


def test_sighup_puts_another_policy_in_force(server: Followed) -> None:
    """Images are judged anew from what is known of them, while an upload goes on."""
    with server.client("admin") as client:
        upload = HalfwayUpload(server.url(Repository(client, "team/app").open_upload()))
        assert code_of(server.pulled()) == "DENIED"
        server.reloaded(policy={"name": YOUNG})
        assert server.pulled().status_code == 200
        assert upload.go_on() == 201
        assert f"basegate_layers_opened_total {float(len(bad().layers))}" in client.get("/metrics").text


def test_a_saved_file_makes_remembered_answers_fall(tmp_path: Path) -> None:
    """What was given before, and could be given again without asking anybody, is not given under another policy."""
    with followed(tmp_path, watch=True, policy={"name": YOUNG}) as server:
        server.push(bad())
        assert [server.pulled().status_code for _ in range(3)] == [200, 200, 200]
        server.write(policy={"name": OLD})
        server.serving.logged(RELOADED)
        assert "is not cleared by policy azureml-2019-07" in server.pulled().text
        assert not server.allows(f"{server.serving.host}/team/app:v1")


@pytest.mark.parametrize(
    ("policy", "reason"),
    [
        ({"name": "azureml-1999"}, "there is no policy 'azureml-1999'"),
        ({"mode": "audit", "bindings": [{"repositories": "a", "policy": "none"}]}, "there is no policy 'none'"),
        ({"mode": "audit", "folder": "policies"}, "own.yaml is not YAML"),
        ({"mode": "lax"}, "setting policy.mode is 'lax'"),
    ],
)
def test_a_broken_file_keeps_everything(server: Followed, tmp_path: Path, policy: dict[str, str], reason: str) -> None:
    """Neither the policy nor the registry follows, and one line of the log says why."""
    (tmp_path / "policies").mkdir()
    (tmp_path / "policies" / "own.yaml").write_text("rules: [")
    if "folder" in policy:
        policy["folder"] = str(tmp_path / "policies")
    server.write(policy=policy, manifests={"deletes": False})
    server.serving.reload()
    assert [reason in line for line in server.serving.logged(REFUSED)] == [True]
    assert "is not cleared by policy azureml-2019-07" in server.pulled().text
    with server.client("admin") as client:
        assert Repository(client, "team/app").delete("manifests/none").status_code == 404


def test_an_inspection_goes_on_over_a_reload(server: Followed) -> None:
    """A layer that is being read while it arrives is read once, although the workers get other limits meanwhile."""
    large = layer(miniconda() | {"opt/data": noise(300_000)})
    made = image(layer(base()), large)
    with server.client("admin") as client:
        repository = Repository(client, "team/app")
        where = repository.open_upload()
        client.patch(where, content=large[:200_000]).raise_for_status()
        server.reloaded(policy={"inspection": {"workers": 1, "memory_bytes": 900 << 20, "budgets": {"members": 99}}})
        client.patch(where, content=large[200_000:]).raise_for_status()
        client.put(where, params={"digest": Digest.of(large)}).raise_for_status()
        repository.blob(made.config)
        repository.blob(made.layers[0])
        assert repository.put("v1", made.manifest).status_code == 201
        # The base is the one that the image before had.
        assert f"basegate_layers_opened_total {float(len(bad().layers) + 1)}" in client.get("/metrics").text
    assert server.pulled().status_code == 200


def test_the_gateway_follows(server: Followed) -> None:
    """A name of the registry that is added counts for the next check."""
    server.reloaded(policy={"mode": "audit"})
    assert not server.allows("hub.example/team/app:v1")
    server.write(policy={"mode": "audit"}, gateway={"hosts": ["hub.example"]})
    server.serving.reload()
    server.serving.logged("gateway.hosts")
    assert server.allows("hub.example/team/app:v1")


def test_what_needs_a_restart_is_said_beside_what_counts(server: Followed) -> None:
    """The address stays, and is named; the policy's mode counts at once."""
    server.write(listen="127.0.0.1:1", data="elsewhere", policy={"mode": "audit"}, server={"threads": 3})
    server.serving.reload()
    (line,) = server.serving.logged(RELOADED)
    assert "applied=['policy.mode']" in line
    assert "need_a_restart=['server.threads']" in line
    assert server.pulled().status_code == 200

"""kube-apiserver's own plugin ImagePolicyWebhook, configured by config/admission-control.yaml, asks over HTTPS."""

import json
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.clients.trees import cleared_image, refused_image
from tests.kubernetes.lab import NAME, Lab
from tests.policy.kubernetes.reviews import container, pod

GOOD, BAD = f"{NAME}/team/app:good", f"{NAME}/team/app:bad"
Ask = Callable[..., dict[str, Any]]


def asking(program: Path, control: Path) -> Iterator[Ask]:
    """The plugin, until the generator is closed: a Pod and a subresource make an answer."""
    with subprocess.Popen(
        [program / "asker", control], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdin
        assert process.stdout
        questions, answers = process.stdin, process.stdout

        def ask(thing: dict[str, Any], subresource: str = "") -> dict[str, Any]:
            questions.write(json.dumps({"pod": thing, "subresource": subresource}) + "\n")
            questions.flush()
            answer: dict[str, Any] = json.loads(answers.readline())
            return answer

        yield ask
        questions.close()


@pytest.fixture(scope="module")
def ask(programs: Path, lab: Lab) -> Iterator[Ask]:
    """As the files of config/ say."""
    yield from asking(programs, lab.control)


def test_a_cleared_image_is_admitted(ask: Ask) -> None:
    """Signed in with Basic over TLS, which the CA of `tls init` vouches for."""
    assert ask(container(GOOD)) == {"admitted": True, "message": ""}


def test_a_refused_image_is_forbidden(ask: Ask) -> None:
    """With our reason."""
    answer = ask(container(BAD))
    assert not answer["admitted"]
    assert "image policy webhook backend denied one or more images" in answer["message"]
    assert f"{BAD} is not cleared by policy azureml-2019-07: Python 3.7.1 found at" in answer["message"]
    assert "conda install -y python=3.6" in answer["message"]


def test_an_init_container(ask: Ask) -> None:
    """Is asked about."""
    containers = [{"name": "c", "image": GOOD}]
    assert not ask(pod({"containers": containers, "initContainers": [{"name": "i", "image": BAD}]}))["admitted"]


def test_an_ephemeral_container(ask: Ask) -> None:
    """Is asked about when it is added."""
    spec = {"containers": [{"name": "c", "image": GOOD}], "ephemeralContainers": [{"name": "e", "image": BAD}]}
    assert not ask(pod(spec), "ephemeralcontainers")["admitted"]


def test_another_registry(ask: Ask) -> None:
    """Is forbidden."""
    assert "is on another registry (docker.io)" in ask(container("nginx"))["message"]


def test_what_the_plugin_does_not_see(ask: Ask) -> None:
    """A refused image in a volume is admitted, as docs/kubernetes.md says: nobody asks about it."""
    volume = {"name": "v", "image": {"reference": BAD}}
    assert ask(pod({"containers": [{"name": "c", "image": GOOD}], "volumes": [volume]}))["admitted"]


def test_what_is_revoked_is_forbidden_at_once(ask: Ask, lab: Lab, tmp_path: Path) -> None:
    """With the committed file no answer is remembered: the tag leads to another image now."""
    name = f"{NAME}/team/moving:v1"
    lab.gateway.push(tmp_path / "good", "team/moving:v1", cleared_image())
    assert ask(container(name))["admitted"]
    lab.gateway.push(tmp_path / "bad", "team/moving:v1", refused_image())
    assert not ask(container(name))["admitted"]


def test_what_is_revoked_and_remembered(programs: Path, lab: Lab, tmp_path: Path) -> None:
    """With an `allowTTL` it stays allowed that long, as docs/kubernetes.md says."""
    control = tmp_path / "control.yaml"
    control.write_text(lab.control.read_text().replace("allowTTL: -1", "allowTTL: 1800"))
    name = f"{NAME}/team/remembered:v1"
    lab.gateway.push(tmp_path / "good", "team/remembered:v1", cleared_image())
    for remembering in asking(programs, control):
        assert remembering(container(name))["admitted"]
        lab.gateway.push(tmp_path / "bad", "team/remembered:v1", refused_image())
        assert remembering(container(name))["admitted"]


@pytest.mark.parametrize("change", ["away", "a wrong secret", "another CA"])
def test_it_fails_closed(programs: Path, lab: Lab, tmp_path: Path, change: str) -> None:
    """What the plugin cannot ask about does not start."""
    config = tmp_path / "kubeconfig.yaml"
    text = lab.control.with_name("kubeconfig.yaml").read_text()
    changed = {
        "away": text.replace(lab.gateway.host, "127.0.0.1:1"),
        "a wrong secret": text.replace(lab.gateway.secrets["reader"], "wrong"),
        "another CA": text.replace("certificate-authority: ", "# "),
    }
    config.write_text(changed[change])
    control = tmp_path / "control.yaml"
    control.write_text(lab.control.read_text().replace(str(lab.control.with_name("kubeconfig.yaml")), str(config)))
    for asked in asking(programs, control):
        assert not asked(container(GOOD))["admitted"]

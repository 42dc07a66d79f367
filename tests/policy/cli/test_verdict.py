"""`basegate verdict` against a live server: what is shown, verified and rotated."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from policy.cli.main import basegate
from tests.clients.trees import cleared_image, refused_image
from tests.policy.attestation.test_renewed_verdicts import YOUNG, turn_to
from tests.policy.live import LiveGateway, live_gateway

REPOSITORY = "team/app"


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveGateway]:
    """A server with an image that is cleared and one that is refused."""
    folder = tmp_path_factory.mktemp("verdict")
    with live_gateway(folder / "data") as gateway:
        gateway.push(folder / "good", f"{REPOSITORY}:good", cleared_image())
        gateway.push(folder / "bad", f"{REPOSITORY}:bad", refused_image())
        yield gateway


@pytest.fixture(scope="module")
def key(live: LiveGateway, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The public key in a file."""
    file = tmp_path_factory.mktemp("key") / "cosign.pub"
    file.write_text(run(live, "key", "show", "--gateway", live.host).stdout)
    return file


def run(live: LiveGateway, *words: str) -> Result:
    """A command as the one who may pull."""
    signed_in = {"BASEGATE_USERNAME": "reader", "BASEGATE_PASSWORD": live.secrets["reader"]}
    return CliRunner().invoke(basegate, ["verdict", *words], env=signed_in)


def image(live: LiveGateway, tag: str) -> str:
    """An image as people name it."""
    return f"{live.host}/{REPOSITORY}:{tag}"


@pytest.mark.parametrize(("tag", "word"), [("good", "PASSED"), ("bad", "FAILED")])
def test_show(live: LiveGateway, tag: str, word: str) -> None:
    """The result, the policy, the key; a reader may ask about what is withheld as well."""
    shown = run(live, "show", image(live, tag))
    assert (shown.exit_code, shown.stdout.split()[0]) == (0, word)
    assert "#policy-azureml-2019-07" in shown.stdout


def test_show_as_json(live: LiveGateway) -> None:
    """One object, and with --all a list."""
    one = json.loads(run(live, "show", image(live, "good"), "--json").stdout)
    every = json.loads(run(live, "show", image(live, "good"), "--json", "--all").stdout)
    assert every == [one]
    assert one["published"]


def test_a_verdict_that_passed_holds(live: LiveGateway, key: Path) -> None:
    """Every step is named."""
    verified = run(live, "verify", image(live, "good"), "--key", str(key))
    assert (verified.exit_code, verified.stdout.count(": right")) == (0, 7)


def test_the_step_that_fails_is_named(live: LiveGateway, key: Path) -> None:
    """Exit code 1, in words and as JSON."""
    verified = run(live, "verify", image(live, "bad"), "--key", str(key))
    assert (verified.exit_code, verified.stdout[:29]) == (1, "wrong: step 6 of 7, result: i")
    as_json = run(live, "verify", image(live, "bad"), "--key", str(key), "--json")
    assert (as_json.exit_code, json.loads(as_json.stdout)["step"]) == (1, "result")


@pytest.mark.parametrize(
    ("option", "value", "step"),
    [
        ("--level", "BASEGATE_OTHER", "levels"),
        ("--verifier", "https://x.example", "verifier"),
        ("--resource-uri", "oci:x", "resource"),
    ],
)
def test_what_is_asked_for_counts(live: LiveGateway, key: Path, option: str, value: str, step: str) -> None:
    """Each option is a step."""
    verified = run(live, "verify", image(live, "good"), "--key", str(key), option, value, "--json")
    assert (verified.exit_code, json.loads(verified.stdout)["step"]) == (1, step)


def test_a_bundle_is_verified_offline(live: LiveGateway, key: Path, tmp_path: Path) -> None:
    """Of an image by its digest; a tag says nothing without a registry."""
    shown = json.loads(run(live, "show", image(live, "good"), "--json").stdout)
    file = tmp_path / "bundle.json"
    file.write_text(json.dumps(shown["bundle"]))
    digest = shown["predicate"]["resourceUri"].partition("@")[2]
    line = ["--key", str(key), "--bundle", str(file)]
    assert run(live, "verify", f"nowhere.example/{REPOSITORY}@{digest}", *line).exit_code == 0
    assert run(live, "verify", f"nowhere.example/{REPOSITORY}:good", *line).exit_code == 2


@pytest.mark.parametrize("words", [("verify", "{image}", "--key", "{nothing}"), ("show", "{missing}")])
def test_what_could_not_be_told(live: LiveGateway, tmp_path: Path, words: tuple[str, ...]) -> None:
    """Exit code 2: no key, no image."""
    given = {"image": image(live, "good"), "nothing": str(tmp_path / "none"), "missing": image(live, "none")}
    assert run(live, *(word.format(**given) for word in words)).exit_code == 2


def test_rotation_beside_the_server(live: LiveGateway, tmp_path: Path) -> None:
    """The new key is printed; a JWK set still verifies what the earlier one has signed."""
    data = str(live.registry.data)
    shown = json.loads(run(live, "show", image(live, "good"), "--json").stdout)
    rotated = run(live, "key", "rotate", "--data", data)
    assert rotated.stdout == run(live, "key", "show", "--data", data).stdout
    with live.client("reader") as client:
        (tmp_path / "keys.json").write_bytes(client.get("/policy/v1/keys").content)
    (tmp_path / "bundle.json").write_text(json.dumps(shown["bundle"]))
    named = f"{live.host}/{REPOSITORY}@{shown['predicate']['resourceUri'].partition('@')[2]}"
    line = ["verify", named, "--key", str(tmp_path / "keys.json"), "--bundle", str(tmp_path / "bundle.json")]
    assert run(live, *line).exit_code == 0


def test_all_has_the_earlier_ones(tmp_path: Path) -> None:
    """After a turn of the policy: the newest first, which alone is published."""
    with live_gateway(tmp_path / "data") as turned:
        turned.push(tmp_path / "bad", f"{REPOSITORY}:bad", refused_image())
        run(turned, "show", image(turned, "bad"))
        turn_to(turned, YOUNG)
        shown = json.loads(run(turned, "show", image(turned, "bad"), "--json", "--all").stdout)
        assert [each["predicate"]["verificationResult"] for each in shown] == ["PASSED", "FAILED"]
        assert [each["published"] for each in shown] == [True, False]

"""Policies of a lab's own at the gate: soft rules, narrowed platforms, refused artifacts, indexes within indexes."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from policy.state import State
from registry.oci.digest import Digest
from registry.oci.errors import Denied
from registry.oci.names import Tag
from tests.policy.images_made import (
    artifact,
    bad,
    descriptor,
    good,
    image,
    index,
)
from tests.policy.lab import READER, TEAM, V1, Lab, open_lab

PYTHON: dict[str, Any] = {"rule": "python-version", "series": ["3.6"]}


def own_policy(folder: Path, **members: Any) -> dict[str, Any]:
    """Settings that put a policy of the lab's own into force."""
    content = {
        "name": "own",
        "title": "A lab's own",
        "source": {"document": "Notes", "date": "2026-01-01"},
        "rules": [PYTHON],
    }
    folder.mkdir()
    (folder / "own.yaml").write_text(yaml.safe_dump(content | members), encoding="utf-8")
    return {"name": "own", "folder": folder}


def push_index(lab: Lab, *children: tuple[bytes, str]) -> Digest:
    """Push an index over what was pushed already."""
    return lab.run(lab.push_manifest(index(*children))).digest


def test_a_soft_rule_warns_at_push_and_pull(tmp_path: Path) -> None:
    """The image is cleared, and both sides are told."""
    settings = own_policy(tmp_path / "policies", rules=[PYTHON | {"soft": True}])
    with open_lab(tmp_path / "data", **settings) as lab:
        pushed = lab.pushed(bad())
        pulled = lab.run(lab.manifests.pull(READER, TEAM, V1))
        assert lab.verdict(pushed.digest).state is State.CLEARED
        assert pushed.warnings == pulled.warnings
        assert pulled.warnings[0].startswith("Python 3.7.0 found at")


def test_platforms_outside_the_policy_do_not_count(tmp_path: Path) -> None:
    """An index is cleared by its images for the platforms that count; the others are judged on their own."""
    settings = own_policy(tmp_path / "policies", platforms=[{"os": "linux", "architecture": "amd64"}])
    with open_lab(tmp_path / "data", **settings) as lab:
        lab.pushed(good(), None)
        lab.pushed(bad(), None)
        both = push_index(lab, (good().manifest, "linux/amd64"), (bad().manifest, "linux/arm64"))
        verdict = lab.verdict(both)
        assert (verdict.state, verdict.children[1].why) == (State.CLEARED, "platform is not part of the policy")
        with pytest.raises(Denied):
            lab.run(lab.manifests.pull(READER, TEAM, bad().digest))


@pytest.mark.parametrize("platform", ["linux/x86_64", "linux/x86-64", "Linux/AMD64", "LINUX/amd64", "/amd64", "linux/"])
def test_a_platform_in_another_spelling_counts(tmp_path: Path, platform: str) -> None:
    """Runtimes normalise it, and start the child."""
    settings = own_policy(tmp_path / "policies", platforms=[{"os": "linux", "architecture": "amd64"}])
    with open_lab(tmp_path / "data", **settings) as lab:
        lab.pushed(good(), None)
        lab.pushed(bad(), None)
        both = push_index(lab, (good().manifest, "linux/amd64"), (bad().manifest, platform))
        assert lab.verdict(both).state is State.REFUSED


def test_a_policy_may_spell_platforms_as_people_do(tmp_path: Path) -> None:
    """They are normalised as those of an index are."""
    settings = own_policy(tmp_path / "policies", platforms=[{"os": "Linux", "architecture": "x86_64"}])
    with open_lab(tmp_path / "data", **settings) as lab:
        lab.pushed(bad(), None)
        assert lab.verdict(push_index(lab, (bad().manifest, "linux/amd64"))).state is State.REFUSED


def test_an_artifact_for_a_platform_leaves_an_index_unclear(tmp_path: Path) -> None:
    """A runtime of that platform would pick it, and the finding names both."""
    with open_lab(tmp_path / "data") as lab:
        lab.pushed(good(), None)
        lab.pushed(artifact(), None)
        mixed = push_index(lab, (good().manifest, "linux/arm64"), (artifact().manifest, "linux/amd64"))
        found = lab.verdict(mixed)
        assert found.state is State.INCONCLUSIVE
        assert found.reasons == (
            f"linux/amd64: {artifact().digest[:19]} is not an image, and a runtime of this platform would pick it",
        )


def test_a_child_without_a_platform_counts(tmp_path: Path) -> None:
    """What does not say where it runs may run anywhere."""
    settings = own_policy(tmp_path / "policies", platforms=[{"os": "linux", "architecture": "amd64"}])
    with open_lab(tmp_path / "data", **settings) as lab:
        lab.pushed(bad(), None)
        assert lab.verdict(push_index(lab, (bad().manifest, ""))).state is State.REFUSED


def test_artifacts_may_be_refused(tmp_path: Path) -> None:
    """A policy can keep everything that is not an image from readers."""
    with open_lab(tmp_path / "data", **own_policy(tmp_path / "policies", artifacts="refused")) as lab:
        lab.pushed(artifact())
        with pytest.raises(Denied, match="this is not an image"):
            lab.run(lab.manifests.pull(READER, TEAM, V1))


def test_an_index_of_attestations_alone_is_not_an_image(tmp_path: Path) -> None:
    """Nothing in it could be deployed."""
    with open_lab(tmp_path / "data") as lab:
        lab.pushed(artifact(), None)
        found = lab.verdict(push_index(lab, (artifact().manifest, "unknown/unknown")))
        assert (found.state, found.children[0].why) == (State.NOT_APPLICABLE, "attestation")


@pytest.mark.parametrize(("levels", "state"), [(1, State.CLEARED), (3, State.CLEARED), (4, State.INCONCLUSIVE)])
def test_indexes_within_indexes(tmp_path: Path, levels: int, state: State) -> None:
    """Three levels are looked through; deeper nesting is not followed and not cleared."""
    with open_lab(tmp_path / "data") as lab:
        lab.pushed(good(), None)
        inner = good().manifest
        for level in range(levels):
            inner = index((inner, ""))
            lab.run(lab.push_manifest(inner, Tag(f"level-{level}")))
        assert lab.verdict(Digest.of(inner)).state is state


def test_an_index_whose_child_is_missing_is_inconclusive(tmp_path: Path) -> None:
    """A sparse index is judged anew when the missing manifest has come."""
    with open_lab(tmp_path / "data", registry={"manifests": {"sparse_indexes": True}}) as lab:
        sparse = push_index(lab, (good().manifest, "linux/amd64"))
        with pytest.raises(Denied, match="is not in this repository"):
            lab.run(lab.manifests.pull(READER, TEAM, V1))
        lab.pushed(good(), None)
        assert lab.run(lab.manifests.pull(READER, TEAM, V1)).digest == sparse


def test_a_foreign_layer_that_comes_later_is_seen_at_the_next_push(tmp_path: Path) -> None:
    """While it is elsewhere the image is inconclusive; pushed again with the layer here it is judged anew."""
    foreign = "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip"
    made = image(*good().layers, kind=foreign)
    with open_lab(tmp_path / "data") as lab:
        lab.run(lab.push_blob(made.config))
        lab.run(lab.push_manifest(made.manifest))
        with pytest.raises(Denied, match=r"layer 0 .* is not in this registry"):
            lab.run(lab.manifests.pull(READER, TEAM, V1))
        lab.pushed(made)
        assert lab.run(lab.manifests.pull(READER, TEAM, V1)).digest == made.digest


def test_a_configuration_past_its_limit_is_inconclusive(tmp_path: Path) -> None:
    """A setting bounds what is read of a configuration."""
    made = good()
    padded = json.dumps(json.loads(made.config) | {"comment": "x" * 5000}).encode()
    document = json.loads(made.manifest)
    document["config"] = descriptor(padded, document["config"]["mediaType"])
    large = replace(made, config=padded, manifest=json.dumps(document).encode())
    with open_lab(tmp_path / "data", inspection={"workers": 1, "config_bytes": 4096}) as lab:
        found = lab.verdict(lab.pushed(large).digest)
        assert found.reasons == ("cannot be inspected: the configuration is larger than 4096 bytes",)


def test_a_size_that_is_not_the_configurations_is_inconclusive(tmp_path: Path) -> None:
    """A manifest that lies about its configuration is not believed about anything."""
    document = json.loads(good().manifest)
    document["config"]["size"] += 1
    with open_lab(tmp_path / "data") as lab:
        found = lab.verdict(lab.pushed(replace(good(), manifest=json.dumps(document).encode())).digest)
        assert "the manifest says" in found.reasons[0]


@pytest.mark.parametrize(("conda", "state"), [("4.7.12", State.CLEARED), ("4.5.12", State.REFUSED)])
def test_the_policy_of_2021_judges_the_shell_too(tmp_path: Path, conda: str, state: State) -> None:
    """All four of its rules are evaluated on a real image."""
    with open_lab(tmp_path / "data", name="azureml-2021-08") as lab:
        found = lab.verdict(lab.pushed(good(conda, os="18.04")).digest)
        assert found.state is state
        assert found.findings[-1].message.startswith("shell /bin/sh found at bin/sh")

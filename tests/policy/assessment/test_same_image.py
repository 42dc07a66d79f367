"""Many manifests of one image: what was seen and judged once is said again only where everything is the same."""

import json
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from policy.assessment.inspector import CURRENT
from policy.assessment.reinspect import forget_image
from policy.assessment.settings import JudgingSettings
from policy.results import manifests as inspected_manifests
from policy.results import verdicts
from policy.results.counters import FORGOTTEN, count, counted
from policy.state import State
from registry.oci.digest import Digest
from registry.oci.names import RepositoryName, Tag
from tests.policy.images_made import (
    bad,
    base,
    good,
    image,
    index,
    layer,
    miniconda,
)
from tests.policy.lab import TEAM, Lab, open_lab


@pytest.fixture
def lab(lab: Lab) -> Lab:
    """That holds a good image and has judged it."""
    lab.pushed(good())
    return lab


def other(number: int = 1, **members: Any) -> bytes:
    """Another manifest of the good image, with some members replaced."""
    return json.dumps(json.loads(good().manifest) | {"annotations": {"number": str(number)}} | members).encode()


def layers(**members: Any) -> list[dict[str, Any]]:
    """The good image's layers, something said otherwise of the last."""
    found: list[dict[str, Any]] = json.loads(good().manifest)["layers"]
    return [*found[:-1], found[-1] | members]


def state_of(lab: Lab, raw: bytes, repository: RepositoryName = TEAM) -> State:
    """Push a manifest and judge it."""
    return lab.verdict(lab.run(lab.push_manifest(raw, Tag("other"), repository)).digest, repository).state


def test_every_manifest_is_in_the_ledger_with_its_own_verdict(lab: Lab) -> None:
    """A hundred manifests of one image: each is a subject and has a state, of equal facts."""
    pushed = [lab.run(lab.push_manifest(other(number), Tag(f"v{number}"))).digest for number in range(100)]
    lab.results.settle()
    policy = lab.gate.bindings.current().of(TEAM).policy.digest
    seen = [lab.results.read(inspected_manifests.find, digest, CURRENT) for digest in pushed]
    assert {lab.results.read(verdicts.find, policy, digest) for digest in pushed} == {State.CLEARED}
    assert [item and item.manifest for item in seen] == pushed
    assert len({item and item.body for item in seen}) == 1


def test_a_verdict_is_not_said_again_under_another_policy(tmp_path: Path) -> None:
    """Where another policy counts, the same facts are judged anew."""
    bindings = [{"repositories": "lab/*", "policy": "azureml-2020-09"}]
    with open_lab(tmp_path / "data", bindings=bindings) as lab:
        first = lab.pushed(bad())
        second = lab.pushed(bad(), repository=RepositoryName("lab/new"))
        assert bool(first.warnings) is True
        assert second.warnings == ()
        assert lab.pushed(bad(), Tag("v2")).warnings


def test_facts_of_a_layer_are_not_those_of_another_type(lab: Lab) -> None:
    """What no runtime unpacks was not looked at, whatever the same bytes held under another type."""
    assert state_of(lab, other(layers=layers(mediaType="application/x-unknown"))) is State.INCONCLUSIVE


def test_facts_are_not_those_of_descriptors_that_lie(lab: Lab) -> None:
    """A layer or configuration whose size is not what the manifest says is not the one that was looked into."""
    config = json.loads(good().manifest)["config"]
    assert state_of(lab, other(layers=layers(size=1))) is State.INCONCLUSIVE
    assert state_of(lab, other(config=config | {"size": 1})) is State.INCONCLUSIVE


def test_facts_are_not_those_of_another_configuration(lab: Lab) -> None:
    """The same layers with another configuration are another image."""
    mislabelled = json.loads(good().config) | {"os": "windows"}
    content = json.dumps(mislabelled).encode()
    digest = lab.run(lab.push_blob(content))
    config = json.loads(good().manifest)["config"] | {"digest": digest, "size": len(content)}
    assert state_of(lab, other(config=config)) is State.REFUSED


@pytest.mark.parametrize(
    "name",
    ["containerd.io/snapshot/stargz/toc.digest", "io.github.containers.zstd-chunked.manifest-checksum"],
)
def test_facts_are_not_those_of_layers_with_another_table_of_contents(lab: Lab, name: str) -> None:
    """An annotation that names a table makes readers of tables start something else; any other does not."""
    assert state_of(lab, other(1, layers=layers(annotations={name: f"sha256:{'0' * 64}"}))) is State.INCONCLUSIVE
    assert state_of(lab, other(2, layers=layers(annotations={"note": "the same"}))) is State.CLEARED


def test_order_and_number_of_layers_count(lab: Lab) -> None:
    """Fewer layers than the configuration names, or in another order, are not the image that was looked into."""
    assert state_of(lab, other(1, layers=layers()[::-1])) is State.INCONCLUSIVE
    assert state_of(lab, other(2, layers=layers()[:1])) is State.INCONCLUSIVE


def test_other_budgets_are_not_answered_from_memory(lab: Lab) -> None:
    """After a change of the settings the next manifest of the image is looked into under the new ones."""
    assert state_of(lab, other(1)) is State.CLEARED
    tight = {"inspection": {"workers": 1, "nice": 0, "image_budgets": {"wanted_files": 1}}}
    settings = JudgingSettings.model_validate(tight)
    lab.gate.use(settings, lab.gate.policies.tried(settings))
    assert state_of(lab, other(2)) is State.INCONCLUSIVE


def test_a_turn_to_another_policy_counts_at_once(lab: Lab) -> None:
    """The next manifest of an image that was cleared is judged by the policy that counts now."""
    lab.pushed(bad())
    settings = JudgingSettings.model_validate({"name": "azureml-2020-09", "inspection": {"workers": 1, "nice": 0}})
    raw = json.dumps(json.loads(bad().manifest) | {"annotations": {"again": "1"}}).encode()
    assert state_of(lab, raw) is State.REFUSED
    lab.gate.use(settings, lab.gate.policies.tried(settings))
    assert state_of(lab, raw) is State.CLEARED


def test_an_exemption_excuses_no_manifest_but_its_own(lab: Lab) -> None:
    """Equal facts do not carry the warning of an exemption from one repository to the next."""
    first, second = (lab.pushed(bad(), repository=RepositoryName(name)).warnings for name in ("team/a", "team/b"))
    assert first[0].startswith("team/a:v1")
    assert second[0].startswith("team/b:v1")


def test_what_was_forgotten_is_read_again(lab: Lab) -> None:
    """After `inspect --again` of another process, a manifest of the same image has its layers read anew."""
    opened = lab.gate.inspector.workers.counters.layers_opened
    lab.run(forget_image(lab.storage, lab.metadata, lab.results, TEAM, good().digest))
    time.sleep(0.3)
    assert state_of(lab, other()) is State.CLEARED
    assert lab.gate.inspector.workers.counters.layers_opened == opened + len(good().layers)


def test_what_was_found_while_something_was_missing_is_not_said_again(lab: Lab) -> None:
    """A manifest of an image that was not whole when another one of it was judged is looked into by itself."""
    made = image(layer(base()), layer(miniconda()), layer({"opt/run": "true"}))
    document = json.loads(made.manifest)
    document["layers"][2]["mediaType"] = "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip"
    for content in made.blobs[:-1]:
        lab.run(lab.push_blob(content))
    assert "layer 2" in lab.run(lab.push_manifest(json.dumps(document).encode())).warnings[0]
    lab.run(lab.push_blob(made.layers[2]))
    raw = json.dumps(document | {"annotations": {"again": "1"}}).encode()
    assert lab.run(lab.push_manifest(raw)).warnings == ()


def forget_all_in_memory(lab: Lab) -> None:
    """Have the gate drop what memory holds, as another process can."""
    lab.results.write(count, FORGOTTEN, 1)
    time.sleep(0.3)
    lab.gate.generation()


def make_of_earlier_detectors(lab: Lab, digest: Digest) -> None:
    """Have policy.db hold another Python of an image, as if earlier detectors had seen it."""
    lab.results.settle()
    seen = lab.results.read(inspected_manifests.find, digest, CURRENT)
    assert seen is not None
    essence, body = seen.essence.replace("3.6.8", "3.7.0"), seen.body.replace(b"3.6.8", b"3.7.0")
    lab.results.write(inspected_manifests.forget, digest)
    lab.results.write(verdicts.forget, digest)
    lab.results.write(inspected_manifests.save, [replace(seen, detectors="earlier@1", essence=essence, body=body)])
    forget_all_in_memory(lab)


def test_what_earlier_detectors_saw_does_not_outlive_a_push(lab: Lab) -> None:
    """A manifest is pushed again and is seen otherwise than in policy.db: its index follows within a second."""
    both = lab.run(lab.push_manifest(index((good().manifest, "linux/amd64")), Tag("both"))).digest
    make_of_earlier_detectors(lab, good().digest)
    assert lab.verdict(both).state is State.REFUSED
    forget_all_in_memory(lab)
    for raw in (other(), good().manifest):
        assert state_of(lab, raw) is State.CLEARED
    lab.results.settle()
    time.sleep(0.3)
    lab.gate.generation()
    policy = lab.gate.bindings.current().of(TEAM).policy
    assert lab.gate.judge.known_state(both, policy) is not State.REFUSED
    assert lab.verdict(both).state is State.CLEARED


def test_a_manifest_that_is_pushed_again_unchanged_forgets_nothing(lab: Lab) -> None:
    """What was seen before in the same way stands, and so does what was said of it."""
    both = lab.run(lab.push_manifest(index((good().manifest, "linux/amd64")), Tag("both"))).digest
    forget_all_in_memory(lab)
    for raw in (other(), good().manifest):
        assert state_of(lab, raw) is State.CLEARED
    lab.results.settle()
    policy = lab.gate.bindings.current().of(TEAM).policy
    assert lab.results.read(verdicts.find, policy.digest, both) is State.CLEARED
    assert lab.results.read(counted, FORGOTTEN) == 1

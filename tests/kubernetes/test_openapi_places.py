"""The places of images against Kubernetes' own OpenAPI document: all of them are found, in objects made from it."""

import json
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from policy.kubernetes.image_places import image_places
from tests.policy.kubernetes.objects_made import Made

NAMES = (
    *("apps.v1.DaemonSet", "apps.v1.Deployment", "apps.v1.ReplicaSet", "apps.v1.StatefulSet"),
    *("batch.v1.CronJob", "batch.v1.Job", "core.v1.Pod", "core.v1.PodTemplate", "core.v1.ReplicationController"),
)
PLACES = {"Container.image", "EphemeralContainer.image", "ImageVolumeSource.reference"}
MAPS = {"CSIVolumeSource.volumeAttributes"}
"""Maps with names of the user's own of which `image` is a place all the same: drivers mount it."""
# Members with `image` in their names that name none to start: of what runs, policies, secrets, disks of Ceph, nodes.
OTHERS = {
    *("Container.imagePullPolicy", "EphemeralContainer.imagePullPolicy", "PodSpec.imagePullSecrets"),
    *("ContainerStatus.image", "ContainerStatus.imageID", "ImageVolumeStatus.imageRef", "VolumeStatus.image"),
    *("NodeStatus.images", "NodeSystemInfo.osImage", "ServiceAccount.imagePullSecrets"),
    *("RBDPersistentVolumeSource.image", "RBDVolumeSource.image", "Volume.image"),
}


class Schemas(dict[str, Any]):
    """Definitions by name; Hypothesis prints what a test is given."""

    def __repr__(self) -> str:
        return "the definitions"


@pytest.fixture(scope="session")
def schemas(programs: Path) -> Schemas:
    """The definitions of api/openapi-spec/swagger.json, by name without `io.k8s.api.`."""
    document = json.loads((programs / "swagger.json").read_text(encoding="utf-8"))
    return Schemas({name.removeprefix("io.k8s.api."): schema for name, schema in document["definitions"].items()})


def test_no_place_is_new(schemas: Schemas) -> None:
    """A later Kubernetes with another member for an image fails here until it is a place, or known to be none."""
    found = {
        f"{name.rpartition('.')[2]}.{member}"
        for name, schema in schemas.items()
        for member in schema.get("properties", {})
        if "image" in member.lower()
    }
    assert found == (PLACES | OTHERS) - {"ImageVolumeSource.reference"}
    assert set(schemas["core.v1.ImageVolumeSource"]["properties"]) == {"reference", "pullPolicy"}


def test_no_kind_is_new(schemas: Schemas) -> None:
    """The kinds that hold a place of an image are the nine, and lists of them."""
    kinds = {name for name, schema in schemas.items() if "x-kubernetes-group-version-kind" in schema}
    holding = {name for name in kinds if set(_reached(schemas, name)) & {place.partition(".")[0] for place in PLACES}}
    assert {name for name in holding if not name.endswith("List")} == set(NAMES)


def _reached(schemas: Schemas, name: str) -> Iterator[str]:
    """The last names of all definitions that one leads to."""
    seen, waiting = {name}, [name]
    while waiting:
        for target in _targets(schemas[waiting.pop()]) - seen:
            seen.add(target)
            waiting.append(target)
    yield from (each.rpartition(".")[2] for each in seen)


def _targets(schema: Any) -> set[str]:
    if isinstance(schema, list):
        return {target for each in schema for target in _targets(each)}
    if not isinstance(schema, dict):
        return set()
    own = {_name(schema["$ref"])} if isinstance(schema.get("$ref"), str) else set()
    return own | {target for each in schema.values() for target in _targets(each)}


def _name(reference: str) -> str:
    return reference.rpartition("/")[2].removeprefix("io.k8s.api.")


def made_from(schemas: Schemas, name: str, choice: Random, path: tuple[str, ...] = ()) -> Made:
    """An object of a definition, with about half of its members, and what it must have."""
    document: dict[str, Any] = {}
    places: dict[str, str] = {}
    short = name.rpartition(".")[2]
    properties = schemas[name].get("properties", {})
    wanted = {"spec", "template", "jobTemplate", "containers", "volumes", "image"} & properties.keys()
    chosen = set(choice.sample(sorted(properties), choice.randint(0, min(6, len(properties)))))
    for member in sorted(chosen | wanted):
        inner = value_from(schemas, properties[member], choice, (*path, member), f"{short}.{member}")
        document[member] = inner.document
        places |= inner.places
    # What runs is told by the status of the object itself.
    return Made(document, {at: text for at, text in places.items() if not at.startswith("/status/")})


def value_from(schemas: Schemas, schema: Any, choice: Random, path: tuple[str, ...], member: str) -> Made:
    """A value of a schema, at a path."""
    pointer = "".join(f"/{step}" for step in path)
    if "$ref" in schema:
        name = _name(schema["$ref"])
        if "properties" in schemas.get(name, {}) and len(path) < 14:
            return made_from(schemas, name, choice, path)
        return Made({}, {})
    if schema["type"] == "array":
        items = [value_from(schemas, schema["items"], choice, (*path, str(at)), "") for at in range(1 + len(path) % 2)]
        places = {at: text for each in items for at, text in each.places.items()}
        return Made([each.document for each in items], places)  # type: ignore[arg-type]
    if schema["type"] == "object":  # a map with names of the user's own
        named = {f"{pointer}/image": "none.example/of:them"} if member in MAPS else {}
        return Made({"image": "none.example/of:them", "containers": "x"}, named)
    text = choice.choice(["a.example/b:v1", "nginx", "x"]) if schema["type"] == "string" else 1
    return Made(text, {pointer: str(text)} if member in PLACES else {})  # type: ignore[arg-type]


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=200, deadline=None, suppress_health_check=list(HealthCheck))
@given(seed=st.integers(min_value=0))
def test_every_place_is_found(schemas: Schemas, name: str, seed: int) -> None:
    """And nothing else, in objects with any of their members."""
    made = made_from(schemas, name, Random(seed))  # noqa: S311
    assert {place.pointer: place.image for place in image_places(made.document)} == made.places


def test_the_objects_have_places(schemas: Schemas) -> None:
    """The test above compares something: containers and volumes are always there."""
    made = [made_from(schemas, name, Random(seed)) for name in NAMES for seed in range(10)]  # noqa: S311
    assert min(len(each.places) for each in made) >= 1

"""The walk over objects: every place of an image is found, and nothing else, in objects made by Hypothesis."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from policy.kubernetes.image_places import ImagePlace, image_places
from tests.policy.kubernetes.objects_made import WORKLOADS, Made

OCI = {"kind": "InferenceService", "spec": {"predictor": {"model": {"storageUri": "oci://h.example/m:v1"}}}}
NATIVE = {"kind": "LLMInferenceService", "spec": {"model": {"uri": "oci+native://h.example/m@sha256:0"}}}


@settings(deadline=None)
@given(made=st.one_of(*WORKLOADS.values()))
def test_every_place_and_no_other(made: Made) -> None:
    """Of the nine kinds, whatever else is in them."""
    assert {place.pointer: place.image for place in image_places(made.document)} == made.places


@pytest.mark.parametrize("kind", WORKLOADS)
@settings(deadline=None)
@given(data=st.data())
def test_a_kind_that_nobody_knows(kind: str, data: st.DataObject) -> None:
    """With one of the nine somewhere in it: every place is found there."""
    made = data.draw(WORKLOADS[kind])
    wrapped = {"kind": "Zzz", "spec": {"things": [[{"inner": made.document | {"status": {}}}]]}}
    found = {place.pointer: place.image for place in image_places(wrapped)}
    assert found == {f"/spec/things/0/0/inner{pointer}": image for pointer, image in made.places.items()}


@pytest.mark.parametrize(
    ("document", "place"),
    [
        (OCI, ImagePlace(("spec", "predictor", "model", "storageUri"), "h.example/m:v1", "oci://")),
        (NATIVE, ImagePlace(("spec", "model", "uri"), "h.example/m@sha256:0", "oci+native://")),
    ],
)
def test_models_of_kserve(document: dict[str, Any], place: ImagePlace) -> None:
    """Are images when a setting says so."""
    assert image_places(document, kserve=True) == (place,)
    assert image_places(document) == ()


@pytest.mark.parametrize("uri", ["s3://bucket/model", "pvc://claim/model", "https://oci.example/m", "hf://a/b"])
def test_models_from_elsewhere(uri: str) -> None:
    """Are none."""
    assert image_places({"spec": {"predictor": {"model": {"storageUri": uri}}}}, kserve=True) == ()


@pytest.mark.parametrize("value", ["", None, 7, True, [], ["nginx"], {"repository": "nginx"}, {"reference": ""}])
def test_an_image_that_names_none(value: object) -> None:
    """Templates leave it empty for those who fill it in, and other kinds mean something else by it."""
    assert image_places({"spec": {"image": value}}) == ()


def csi(**volume: object) -> dict[str, Any]:
    """A persistent volume of a CSI driver."""
    return {"kind": "PersistentVolume", "spec": {"csi": volume}}


@pytest.mark.parametrize(
    ("document", "pointer"),
    [
        (csi(driver="d", volumeAttributes={"image": "h.example/a:v1"}), "/spec/csi/volumeAttributes/image"),
        (csi(driver="csi-image.warm-metal.tech", volumeHandle="h.example/a:v1"), "/spec/csi/volumeHandle"),
        (csi(driver="container-image.csi.k8s.io", volumeHandle="h.example/a:v1"), "/spec/csi/volumeHandle"),
    ],
)
def test_an_image_that_a_csi_driver_mounts(document: dict[str, Any], pointer: str) -> None:
    """It runs nothing, and its files are in the Pod all the same."""
    assert {place.pointer: place.image for place in image_places(document)} == {pointer: "h.example/a:v1"}


@pytest.mark.parametrize(
    "document",
    [
        csi(driver="d", volumeHandle="h.example/a:v1"),
        csi(driver="csi-image.warm-metal.tech", volumeAttributes={"image": ""}),
        csi(driver="d", volumeAttributes={"size": "1"}),
    ],
)
def test_a_csi_volume_of_something_else(document: dict[str, Any]) -> None:
    """Its handle is the driver's own business."""
    assert image_places(document) == ()

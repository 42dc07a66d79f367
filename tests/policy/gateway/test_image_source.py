"""Whose an image is: this registry's, a public one's, somebody else's."""

import pytest

from policy.gateway.image_source import Kind, how_to_copy, licence_note, source_of
from policy.gateway.settings import GatewaySettings
from registry.oci.image_reference import ImageReference

HERE = "127.0.0.1:5000"
ONNX = "mcr.microsoft.com/azureml/onnxruntime"


def kind(image: str, **settings: object) -> Kind:
    """The kind, asked at HERE."""
    return source_of(ImageReference.parse(image), HERE, GatewaySettings.model_validate(settings)).kind


@pytest.mark.parametrize(
    ("image", "wanted"),
    [
        (f"{HERE}/team/app:v1", Kind.WORKSPACE),
        ("localhost:5000/team/app:v1", Kind.WORKSPACE),
        ("azureml/azureml_0b7f9e3a", Kind.WORKSPACE),
        ("azureml/other", Kind.STANDALONE),
        ("mcr.microsoft.com/azureml/o16n-sample-user-base/ubuntu-miniconda", Kind.PUBLIC),
        (f"{ONNX}:v0.4.0", Kind.PUBLIC),
        (f"{ONNX}:v0.4.0-cuda10.0-cudnn7", Kind.PUBLIC),
        (f"{ONNX}:v0.4.0-tensorrt19.03", Kind.PUBLIC),
        (f"{ONNX}:v1.0.0", Kind.STANDALONE),
        ("myregistry.azurecr.io/mycustomimage:1.0", Kind.STANDALONE),
    ],
)
def test_kinds(image: str, wanted: Kind) -> None:
    """The names of this registry, the document's four images, and the rest."""
    assert kind(image) is wanted


@pytest.mark.parametrize("pattern", ["quay.io/*", "quay.io/team/app", "quay.io/team/app:v*"])
def test_patterns_of_public_images(pattern: str) -> None:
    """With and without a tag."""
    assert kind("quay.io/team/app:v1", public_images=[pattern]) is Kind.PUBLIC


def test_a_registry_has_other_names() -> None:
    """As a workspace's registry has in Azure."""
    assert kind("myregistry.azurecr.io/app:v1", hosts=["myregistry.azurecr.io"]) is Kind.WORKSPACE


def test_how_a_copy_is_made() -> None:
    """By a command that names both ends, or of a file."""
    image = ImageReference.parse(f"{ONNX}:v0.4.0")
    told = how_to_copy(image, source_of(image, HERE, GatewaySettings()))
    assert f": basegate copy {ONNX}:v0.4.0 {HERE}/{ONNX}:v0.4.0, or, with" in told
    assert told.endswith(f"basegate import FILE {HERE}/{ONNX}:v0.4.0")


@pytest.mark.parametrize(("image", "told"), [(f"{ONNX}:v0.4.0-tensorrt19.03", True), (f"{ONNX}:v0.4.0", False)])
def test_the_licence_note(image: str, told: bool) -> None:
    """Of Microsoft's images with TensorRT only."""
    assert bool(licence_note(ImageReference.parse(image))) is told

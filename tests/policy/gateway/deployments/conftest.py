"""One live gateway for the tests of deployments, with a cleared and a refused image in it."""

from collections.abc import Iterator

import pytest

from tests.clients.trees import cleared_image, refused_image
from tests.policy.live import LiveGateway, live_gateway


@pytest.fixture(scope="package")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveGateway]:
    """`team/app` holds `good` and `bad`; there are a public image and one that a training run built."""
    folder = tmp_path_factory.mktemp("deployments")
    with live_gateway(folder / "data", gateway={"hosts": "myregistry.azurecr.io"}) as live:
        live.push(folder / "good", "team/app:good", cleared_image())
        live.push(folder / "bad", "team/app:bad", refused_image())
        live.push(folder / "elsewhere", "elsewhere/app:good", cleared_image())
        live.push(folder / "public", "mcr.microsoft.com/azureml/onnxruntime:v0.4.0", cleared_image())
        live.push(folder / "derived", "azureml/azureml_0b7f9e3a:latest", cleared_image())
        yield live

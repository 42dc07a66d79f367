"""One live gateway for the tests of its doors, with a cleared and a refused image in it."""

from collections.abc import Iterator

import pytest

from tests.clients.trees import cleared_image, refused_image
from tests.policy.live import LiveGateway, live_gateway


@pytest.fixture(scope="session")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveGateway]:
    """`team/app` holds `good`, `bad` and `both` (an index of the two)."""
    folder = tmp_path_factory.mktemp("gateway")
    with live_gateway(folder / "data", gateway={"hosts": "registry.lab.example", "request_bytes": 4096}) as live:
        live.push(folder / "good", "team/app:good", cleared_image())
        live.push(folder / "bad", "team/app:bad", refused_image())
        live.push(folder / "public", "mcr.microsoft.com/azureml/onnxruntime:v0.4.0-tensorrt19.03", cleared_image())
        live.push(folder / "derived", "azureml/azureml_0b7f9e3a:latest", cleared_image())
        live.push(folder / "ways", "team/app:both-ways", cleared_image(), cleared_image("arm", "arm64"))
        live.push(folder / "both", "team/app:both", cleared_image(), refused_image())
        yield live

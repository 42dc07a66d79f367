"""The document's four public images in a lab without internet: archives that are imported under their own names."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from policy.gateway.image_source import PUBLIC_IMAGES
from registry.oci.image_reference import ImageReference
from tests.clients.layouts import Layout
from tests.clients.trees import cleared_image
from tests.policy.cli.transfers import piped, run, signed_in
from tests.policy.live import LiveGateway, live_gateway


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveGateway]:
    """A server that has none of them."""
    with live_gateway(tmp_path_factory.mktemp("live") / "data") as live:
        yield live


@pytest.fixture(params=PUBLIC_IMAGES)
def image(request: pytest.FixtureRequest) -> str:
    """Each of them."""
    return str(request.param)


@pytest.fixture
def archive(image: str, tmp_path: Path) -> Path:
    """What `docker save` writes of it on a machine with internet; it names the tag that goes without saying."""
    layout = Layout(tmp_path / "layout")
    layout.add("it", cleared_image(image))
    layout.write_docker_archive("it", tmp_path / "it.tar", str(ImageReference.parse(image)))
    return tmp_path / "it.tar"


def judged(live: LiveGateway, image: str) -> tuple[bool, str]:
    """Whether an inference configuration may name it, and the verdict."""
    asked = {"entryScript": "score.py", "runtime": "python", "baseImage": image}
    found = live.check("reader", inferenceConfig=asked).json()
    return found["allowed"], found["verdict"]


def test_it_is_judged_by_its_copy(live: LiveGateway, image: str, archive: Path) -> None:
    """Nobody can tell before it is imported into the running server; then it is cleared, under its own name."""
    before = judged(live, image)
    result = run("import", str(archive), f"{live.host}/{image}", **signed_in(live, "admin"))
    assert result.exit_code == 0, result.output
    assert (before[0], judged(live, image)) == (False, (True, "cleared"))


def test_out_of_a_pipe_into_the_folder(image: str, archive: Path, tmp_path: Path) -> None:
    """Of a server that runs: it has it as well."""
    data = tmp_path / "data"
    with live_gateway(data) as live:
        done = piped(archive.read_bytes(), "import", "-", image, "--data", str(data))
        assert done.returncode == 0, done.stderr
        assert judged(live, image) == (True, "cleared")

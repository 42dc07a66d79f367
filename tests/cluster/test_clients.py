"""crane pushes to and pulls from a gateway whose blobs are in a real store; its signatures and keys are checked."""

from pathlib import Path

import pytest

from registry.config.storage import StorageSettings
from registry.storage.objects.address import StoreUnusable, parse_store_url
from registry.storage.objects.connecting import connect, require_usable
from tests.clients.client import Endpoint
from tests.clients.crane import Crane
from tests.clients.layouts import Layout
from tests.clients.trees import cleared_image, refused_image
from tests.policy.live import LiveGateway, live_gateway
from tests.registry.storage.object_servers import ObjectServer


def crane(live: LiveGateway, home: Path, name: str) -> Crane:
    """crane, signed in."""
    home.mkdir()
    client = Crane(home, Endpoint(live.host, None))
    client.log_in(name, live.secrets[name])
    return client


@pytest.mark.client("crane")
def test_crane_pushes_and_pulls(server: ObjectServer, tmp_path: Path) -> None:
    """A cleared image comes back to a reader, a refused one does not."""
    layout = Layout(tmp_path / "images")
    layout.add("good", cleared_image(large=True))
    layout.add("bad", refused_image())
    with live_gateway(tmp_path / "data", storage=server.settings(tmp_path / "keys")) as live:
        owner, reader = crane(live, tmp_path / "owner", "admin"), crane(live, tmp_path / "reader", "reader")
        for tag in ("good", "bad"):
            owner.push(layout, tag, f"{live.host}/team/app:{tag}").check()
        reader.pull(f"{live.host}/team/app:good").check()
        assert "DENIED" in reader.pull(f"{live.host}/team/app:bad").output


def test_a_wrong_key_is_told(server: ObjectServer, tmp_path: Path) -> None:
    """By a server that checks keys."""
    settings = StorageSettings.model_validate(server.settings(tmp_path))
    secret = next(value for name, value in server.credentials.items() if name.endswith(("SECRET_ACCESS_KEY", "_KEY")))
    keys = tmp_path / "store.env"
    keys.write_text(keys.read_text().replace(secret, "d3Jvbmc="))
    address = parse_store_url(settings.url)
    with pytest.raises(StoreUnusable, match="its key may not read and write there"):
        require_usable(address, connect(address, settings), settings.endpoint)

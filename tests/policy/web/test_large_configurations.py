"""Images whose configuration is larger than what a page shows."""

from policy.web.pages.image import NOTHING
from registry.oci.media_types import OCI_CONFIG
from tests.policy.live import LiveGateway
from tests.policy.web.conftest import SignedIn
from tests.repository import Repository


def test_a_configuration_that_is_too_large_to_show(live: LiveGateway, signed_in: SignedIn) -> None:
    """The page has what is known otherwise, and says why that is not there."""
    with live.client("admin") as client:
        team = Repository(client, "large/configuration")
        layer, large = team.blob(b"layer"), team.blob(b"{" + b" " * (5 << 20) + b"}", OCI_CONFIG)
        pushed = team.put("v1", team.image_document(layer, config=large.descriptor))
    assert pushed.status_code == 201, pushed.text
    live.settle()
    shown = signed_in("admin").get("/r/large/configuration:v1")
    assert (shown.status_code, "5,242,882 bytes" in shown.text) == (200, True), shown.text
    document = signed_in("admin").get("/r/large/configuration:v1.json").json()
    assert [each["digest"] for each in document["layers"]] == [layer.digest]
    assert document["configuration"] == NOTHING | {"trouble": document["configuration"]["trouble"]}

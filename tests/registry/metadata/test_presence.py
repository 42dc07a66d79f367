"""What a repository holds of some digests, few or many."""

import pytest

from registry.metadata import blobs, manifests
from registry.oci.digest import Digest
from tests.registry.open_services import OpenServices

ABSENT = [Digest.of(str(number).encode()) for number in range(1_200)]


@pytest.mark.parametrize("count", [0, 1, 49, 50, 51, 499, 500, 1_200])
def test_present_content_is_found_among_absent(services: OpenServices, count: int) -> None:
    """Blobs and manifests each among their own, of this repository alone."""
    blob = services.run(services.push_blob(b"here"))
    manifest = services.run(services.push_image(None)).digest
    asked = [*ABSENT[:count], blob, manifest]
    read = services.metadata.read
    assert services.run(read(blobs.present, 1, asked)) == {blob}
    assert services.run(read(manifests.present, 1, asked)) == {manifest}
    assert services.run(read(blobs.present, 2, asked)) == set()

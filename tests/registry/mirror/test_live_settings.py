"""Settings that a reload changes count for upstreams too."""

from typing import Any

from tests.registry.mirror.site import NAME, Site


def reloaded(shared: Site, **limits: Any) -> None:
    """Put other limits in force, as a reload does."""
    settings = shared.live.app.settings
    settings.replace(settings.current.model_copy(update={"limits": settings.current.limits.model_copy(update=limits)}))


def test_the_largest_manifest(shared: Site) -> None:
    """One that an upstream has is no longer taken when it is larger than what counts now."""
    shared.push("large")
    reloaded(shared, manifest_bytes=100)
    answer = shared.here.client.get(f"/v2/{NAME}/manifests/large")
    assert answer.status_code == 503
    assert "100 bytes" in answer.text

"""Tags get old, upstreams go away, and fetches take their time."""

import time
from pathlib import Path

from tests.hostile_server import answer as http
from tests.other_registries import OtherRegistry
from tests.registry.mirror.site import Site, code, message, mirrored, site, upstream_settings
from tests.servers import open_registry
from tests.waiting import wait_until

LARGE = 6 << 20


def test_a_young_tag_is_not_asked_for(shared: Site) -> None:
    """Within its time a tag is served without a word to the upstream."""
    shared.push("young")
    shared.here.get("manifests/young")
    before = shared.line.connections, shared.line.passed
    assert [shared.here.get("manifests/young").status_code for _ in range(3)] == [200] * 3
    assert (shared.line.connections, shared.line.passed) == before


def test_an_old_tag_is_asked_for_by_head(alone: Site) -> None:
    """After its time a tag that has not moved costs the upstream a HEAD."""
    image, _ = alone.push()
    assert [alone.here.get("manifests/v1").content for _ in range(3)] == [image.raw] * 3
    assert (alone.upstream.asked("GET", "/manifests/v1"), alone.upstream.asked("HEAD", "/manifests/v1")) == (1, 2)


def test_a_tag_that_has_moved(alone: Site) -> None:
    """The new image is served as soon as the tag is old."""
    first, _ = alone.push()
    assert alone.here.get("manifests/v1").content == first.raw
    second, layer = alone.push()
    assert alone.here.get("manifests/v1").content == second.raw
    assert alone.here.get(f"blobs/{layer.digest}").content == layer.raw


def test_an_upstream_that_is_away(alone: Site) -> None:
    """What is known of a tag is served with a warning; what is not known cannot be had; then it is back."""
    image, _ = alone.push()
    alone.here.get("manifests/v1")
    alone.upstream.end()
    stale = alone.here.get("manifests/v1")
    assert (stale.status_code, stale.content) == (200, image.raw)
    assert stale.headers["warning"].startswith('299 - "up/team/app:v1 is given as it was')
    assert alone.here.get(f"manifests/{image.digest}").headers.get("warning") is None
    cold = alone.here.get("manifests/v2")
    assert (cold.status_code, code(cold)) == (503, "UNAVAILABLE")
    assert int(cold.headers["retry-after"]) >= 1
    alone.upstream.begin()
    assert "warning" not in alone.here.get("manifests/v1").headers


def test_too_old(tmp_path: Path) -> None:
    """After `stale_seconds` nothing is known of a tag any more."""
    with site(tmp_path, ttl_seconds=0, stale_seconds=0) as made:
        made.push()
        made.here.get("manifests/v1")
        made.upstream.end()
        assert made.here.get("manifests/v1").status_code == 503


def test_too_many_requests(alone: Site) -> None:
    """An upstream that says 429 is left alone for as long as it asks, and known tags are served meanwhile."""
    image, _ = alone.push()
    alone.here.get("manifests/v1")
    alone.line.answer = http("429 Too Many Requests", Retry_After="300")
    stale = alone.here.get("manifests/v1")
    assert (stale.content, "429" in stale.headers["warning"]) == (image.raw, True)
    before = alone.line.connections
    assert [alone.here.get("manifests/v1").status_code for _ in range(5)] == [200] * 5
    cold = alone.here.get("manifests/v2")
    assert (cold.status_code, int(cold.headers["retry-after"]) > 200) == (503, True)
    assert alone.line.connections == before


def test_a_tag_that_is_gone_there(alone: Site) -> None:
    """It stays here, with a warning."""
    image, _ = alone.push()
    alone.here.get("manifests/v1")
    alone.there.delete(f"manifests/{image.digest}")
    answer = alone.here.get("manifests/v1")
    assert (answer.content, "has no manifest" in answer.headers["warning"]) == (image.raw, True)


def test_a_slow_upstream_is_pending(tmp_path: Path) -> None:
    """The first answer is 503 with Retry-After; the fetch goes on, nothing of it is seen, and then all is there."""
    with site(tmp_path, wait_seconds=0.2) as made:
        image, layer = made.push(size=LARGE)
        made.line.rate = 5 << 20
        first = made.here.get("manifests/v1")
        assert (first.status_code, code(first), first.headers["retry-after"]) == (503, "UNAVAILABLE", "1")
        assert first.json()["errors"][0]["detail"]["state"] == "pending"
        assert made.here.get("tags/list").json().get("tags", []) == []
        wait_until(lambda: made.here.get("manifests/v1").status_code == 200)
        assert made.here.get(f"blobs/{layer.digest}").content == layer.raw
        assert (made.fetched(layer.digest), made.here.get("manifests/v1").content) == (1, image.raw)


def test_a_cut_line(shared: Site) -> None:
    """A blob that was cut is gone on with, not begun again."""
    _, layer = shared.push("cut", LARGE)
    before = shared.line.passed
    shared.line.cut_after = before + LARGE // 2
    assert shared.here.get("manifests/cut").status_code == 200
    assert shared.here.get(f"blobs/{layer.digest}").content == layer.raw
    assert shared.line.passed - before < LARGE * 1.2
    assert shared.fetched(layer.digest) == 2


def test_what_an_attempt_has_left_is_used(tmp_path: Path) -> None:
    """After an upstream was away for longer than one attempt lasts, the next goes on where it broke off."""
    with site(tmp_path) as made:
        _, layer = made.push(size=LARGE)
        made.line.cut_after = made.line.passed + LARGE // 2
        made.line.rate = 20 << 20
        broken = made.here.get("manifests/v1")
        made.line.rate = 0
        assert broken.status_code in {200, 503}, message(broken)
        wait_until(lambda: made.here.get("manifests/v1").status_code == 200)
        assert made.here.get(f"blobs/{layer.digest}").content == layer.raw


def test_two_registries_in_a_row(tmp_path: Path) -> None:
    """A registry like this one is an upstream as any other."""
    with site(tmp_path / "first") as made:
        image, _ = made.push()
        entry = upstream_settings(made.live.host)
        with open_registry(tmp_path / "second", upstreams=[entry]) as second, second.client() as client:
            found = client.get("/v2/up/up/team/app/manifests/v1")
            assert found.content == image.raw


def test_a_restart_remembers_ages(tmp_path: Path, upstream: OtherRegistry) -> None:
    """A tag that is young stays so over a restart."""
    with mirrored(tmp_path, upstream) as made:
        made.push("old")
        made.here.get("manifests/old")
    with mirrored(tmp_path, upstream) as again:
        assert again.here.get("manifests/old").status_code == 200
        assert again.line.connections == 0


def test_an_answer_given_again_gets_old_as_well(tmp_path: Path) -> None:
    """A tag that is asked for all the time is looked up when its time is over, and what has moved is seen."""
    with site(tmp_path, ttl_seconds=1) as made:
        made.push()
        second = None
        end = time.monotonic() + 3
        while time.monotonic() < end:
            found = made.here.get("manifests/v1")
            if second is None:
                second, _ = made.push()
        assert second is not None
        assert found.content == second.raw


def test_referrers_of_a_digest_get_old_as_well(tmp_path: Path) -> None:
    """The list of what refers to an image changes although its name does not, and is asked for all the time."""
    with site(tmp_path, ttl_seconds=1) as made:
        image, _ = made.push()
        path = f"referrers/{image.digest}"
        made.here.get("manifests/v1")
        assert made.here.get(path).json()["manifests"] == []
        note = made.there.image("", subject=image.descriptor, artifactType="application/x-note")
        made.there.index(image.digest.replace(":", "-"), note)
        wait_until(lambda: [each["digest"] for each in made.here.get(path).json()["manifests"]] == [note.digest])

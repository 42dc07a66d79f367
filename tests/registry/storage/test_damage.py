"""Bytes leave only under their own digest: what was damaged on the disk is withheld, told, and healed by a push."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from policy.cli.main import basegate
from tests.registry.damages import change_manifest, cut, emptied, flipped, grown
from tests.repository import Pushed, Repository
from tests.servers import LiveRegistry, open_registry

Damage = Callable[[Path], None]
SMALL, LARGE = b"small" * 100, b"large" * 100_000
EVERY = [(SMALL, damage) for damage in (flipped, cut, emptied, grown)] + [
    (LARGE, damage) for damage in (cut, emptied, grown)
]


@pytest.fixture(params=[True, False], ids=["fast", "plain"])
def live(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[LiveRegistry]:
    """A registry, served either way."""
    with open_registry(tmp_path / "data", server={"fast": request.param}) as live:
        yield live


def file_of(live: LiveRegistry, blob: Pushed) -> Path:
    """Where a blob's bytes are."""
    return next(live.data.glob(f"blobs/*/*/{blob.digest.partition(':')[2]}"))


@pytest.mark.parametrize(("content", "damage"), EVERY)
@pytest.mark.parametrize("asked_before", [False, True])
def test_a_damaged_blob_is_not_there(
    live: LiveRegistry, repository: Repository, content: bytes, damage: Damage, asked_before: bool
) -> None:
    """HEAD and GET say 404, also where they said 200 a moment ago and the answer is remembered."""
    blob = repository.blob(content)
    for method in ("HEAD", "GET") * 2 if asked_before else ():
        assert repository.client.request(method, repository.url(f"blobs/{blob.digest}")).status_code == 200
    damage(file_of(live, blob))
    assert [
        repository.client.request(method, repository.url(f"blobs/{blob.digest}")).status_code
        for method in ("HEAD", "GET")
    ] == [404, 404]
    assert [path.name for path in (live.data / "quarantine").iterdir()] == [blob.digest.replace(":", "-")]


@pytest.mark.parametrize("content", [SMALL, LARGE])
def test_a_push_heals_it(live: LiveRegistry, repository: Repository, content: bytes) -> None:
    """What was withheld is handed out again, and nothing is damaged any more."""
    blob = repository.blob(content)
    cut(file_of(live, blob))
    assert repository.get(f"blobs/{blob.digest}").status_code == 404
    repository.blob(content)
    assert repository.get(f"blobs/{blob.digest}").content == content
    assert repository.client.get("/readyz").status_code == 200


def test_damage_is_told(live: LiveRegistry, repository: Repository) -> None:
    """By readiness, with the digest, and by the metrics."""
    blob = repository.blob(SMALL)
    flipped(file_of(live, blob))
    repository.get(f"blobs/{blob.digest}")
    answer = repository.client.get("/readyz")
    assert (answer.status_code, blob.digest in answer.text) == (503, True)
    assert "basegate_damaged_content 1.0" in repository.client.get("/metrics").text
    assert "basegate_damage_found_total 1.0" in repository.client.get("/metrics").text


def test_a_link_in_the_place_of_a_blob_is_no_blob(live: LiveRegistry, repository: Repository, tmp_path: Path) -> None:
    """What it leads to is not handed out, even when it has the right bytes."""
    blob = repository.blob(LARGE)
    path = file_of(live, blob)
    path.rename(tmp_path / "elsewhere")
    path.symlink_to(tmp_path / "elsewhere")
    assert repository.get(f"blobs/{blob.digest}").status_code == 404


def test_a_damaged_row_is_not_the_blob_s_fault(live: LiveRegistry, repository: Repository) -> None:
    """The row says another size: it is withheld, the file stays where it is, and a push puts the row right."""
    blob = repository.blob(LARGE)
    change_manifest(live.data, "UPDATE repository_blobs SET size = 5", ())
    assert repository.head(f"blobs/{blob.digest}").status_code == 404
    assert file_of(live, blob).read_bytes() == LARGE
    repository.blob(LARGE)
    assert repository.get(f"blobs/{blob.digest}").content == LARGE


@pytest.mark.parametrize("content", [b"", b"{}", None])
def test_a_damaged_manifest_is_not_there(tmp_path: Path, content: bytes | None) -> None:
    """Emptied, another, or flipped in a bit: 404 by tag and by digest until it is pushed again, then as before."""
    with open_registry(tmp_path) as live, live.client() as client:
        pushed = Repository(client, "team/app").image("v1", Repository(client, "team/app").blob(SMALL))
    changed = pushed.raw.replace(b"2", b"3", 1) if content is None else content
    change_manifest(tmp_path, "UPDATE manifests SET content = ?", (changed,))
    with open_registry(tmp_path) as live, live.client() as client:
        repository = Repository(client, "team/app")
        paths = ["manifests/v1", f"manifests/{pushed.digest}"]
        assert {client.request(m, repository.url(path)).status_code for m in ("HEAD", "GET") for path in paths} == {404}
        assert client.get("/readyz").status_code == 503
        assert repository.put("v1", pushed.raw).status_code == 201
        assert repository.get("manifests/v1").content == pushed.raw
        assert client.get("/readyz").status_code == 200


def test_damage_that_nobody_needs_is_forgotten(live: LiveRegistry, repository: Repository, tmp_path: Path) -> None:
    """A blob that no repository shows any more: the next collection takes what was set aside."""
    blob = repository.blob(SMALL)
    cut(file_of(live, blob))
    repository.get(f"blobs/{blob.digest}")
    (tmp_path / "settings.yaml").write_text("gc: {grace_seconds: 0}")
    arguments = ["gc", "run", "--data", str(live.data), "--config", str(tmp_path / "settings.yaml")]
    assert CliRunner().invoke(basegate, arguments).exit_code == 0
    assert repository.client.get("/readyz").status_code == 200

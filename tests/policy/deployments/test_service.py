"""Recording and releasing deployments: what is held, what is refused, what survives a restart."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection

from policy.deployments.json_folder import RecordsUnreadable
from policy.deployments.receipts import verify
from policy.deployments.service import FOLDER, DeploymentRefused
from policy.deployments.workspaces import WorkspaceRefused
from registry.maintenance.backup import make_backup
from registry.maintenance.restore import restore_backup
from registry.metadata import holds
from registry.oci.digest import Digest
from registry.oci.errors import ManifestUnknown, Unsupported
from registry.oci.names import Tag
from tests.policy.deployments.site import DIGEST, WANTED, Site, open_site
from tests.registry.open_services import REPOSITORY, image

OTHER = image([b"other"])


@pytest.fixture(name="site")
def _site(tmp_path: Path) -> Iterator[Site]:
    with open_site(tmp_path / "data") as opened:
        yield opened


def held(site: Site) -> list[str]:
    """Names of the holds in the registry."""
    return [hold.name for hold in site.services.run(site.services.metadata.read(holds.named, ""))]


def other(site: Site) -> dict[str, Any]:
    """What changes when a deployment starts from another image, which is pushed."""
    site.services.run(site.services.push_image(Tag("v2"), [b"other"]))
    digest = Digest.of(OTHER)
    return {"digest": digest, "pinned": f"h:1/team/app@{digest}"}


def test_the_image_of_a_deployment_is_not_deleted(site: Site) -> None:
    """The refusal says which deployment, and how it is released."""
    made = site.record()
    with pytest.raises(Unsupported, match=f"basegate deployment release {made.id}"):
        site.services.run(site.services.manifests.delete(REPOSITORY, DIGEST))


def test_the_image_of_a_deployment_is_not_collected(site: Site) -> None:
    """Its tag may go: only what is released goes with the others that have none."""
    made = site.record()
    site.services.run(site.services.manifests.delete(REPOSITORY, Tag("v1")))
    site.services.configure(gc={"untagged_after_seconds": 1, "grace_seconds": 0})
    site.services.run(site.services.metadata.write(_age))
    assert collected(site) == [DIGEST]
    site.release(made)
    assert collected(site) == []


def collected(site: Site) -> list[Digest]:
    """Which manifests a collection leaves."""
    site.services.run(site.services.collector.run())
    return [each.digest for each in site.services.run(site.services.attributes.manifests(REPOSITORY, 10)).items]


def _age(connection: Connection) -> None:
    """Have everything be old."""
    connection.exec_driver_sql("UPDATE manifests SET pushed = 1.0")


def test_a_released_one_lets_go(site: Site) -> None:
    """The record stays."""
    made = site.record()
    assert site.release(made).state == "released"
    site.services.run(site.services.manifests.delete(REPOSITORY, DIGEST))
    assert [each.id for each in site.deployments.all()] == [made.id]


def test_the_same_again_is_the_same_record(site: Site) -> None:
    """With a receipt of its own."""
    assert site.record().id == site.record().id
    assert len(held(site)) == 1


def test_a_service_is_not_silently_deployed_from_something_else(site: Site) -> None:
    """As `az ml model deploy` wants `--overwrite`."""
    made = site.record()
    with pytest.raises(DeploymentRefused, match=f"--overwrite, or basegate deployment release {made.id}"):
        site.record(WANTED, **other(site))


def test_overwriting_releases_what_was_there(site: Site) -> None:
    """The new image is held, the old one no longer."""
    first = site.record()
    second = site.record(WANTED, overwrite=True, **other(site))
    assert held(site) == [f"deployment/{second.id}"]
    assert site.deployments.find(first.id).state == "released"  # type: ignore[union-attr]


def test_a_service_of_another_workspace_is_another(site: Site) -> None:
    """Names count within one."""
    site.services.run(site.workspaces.create("second", "somebody"))
    assert site.record().id != site.record(workspace="second").id


def test_an_unknown_workspace_is_refused(site: Site) -> None:
    """Before anything is held."""
    with pytest.raises(WorkspaceRefused, match="basegate workspace create"):
        site.record(workspace="nobodys")
    assert held(site) == []


def test_an_image_that_went_is_refused(site: Site) -> None:
    """Between the check and the record."""
    site.services.run(site.services.manifests.delete(REPOSITORY, DIGEST))
    with pytest.raises(ManifestUnknown):
        site.record()
    assert site.deployments.all() == []


def test_there_is_a_most(tmp_path: Path) -> None:
    """Of deployments that hold images; released ones do not count."""
    with open_site(tmp_path / "data", most=1) as site:
        first = site.record()
        with pytest.raises(DeploymentRefused, match=r"deployments\.most"):
            site.record(name="second")
        site.release(first)
        assert site.record(name="second").state == "recorded"


def test_released_ones_are_forgotten_at_last(tmp_path: Path) -> None:
    """The latest are kept."""
    with open_site(tmp_path / "data", released_kept=1) as site:
        names = ["one", "two", "three"]
        for name in names:
            site.release(site.record(name=name))
        assert len(site.deployments.all()) == 1


def test_records_outlive_the_process(tmp_path: Path) -> None:
    """With their receipts."""
    with open_site(tmp_path / "data") as site:
        made = site.record()
    with open_site(tmp_path / "data") as again:
        assert again.deployments.all() == [made]


def test_holds_follow_the_records_after_a_crash(site: Site) -> None:
    """One that was lost is placed again, one that nobody has recorded goes."""
    made = site.record()
    site.services.run(site.services.metadata.write(holds.lift, f"deployment/{made.id}"))
    stray = holds.Hold("deployment/d-stray", REPOSITORY, DIGEST, "nobody", 1.0)
    site.services.run(site.services.metadata.write(holds.place, stray))
    site.services.run(site.deployments.restore_holds())
    assert held(site) == [f"deployment/{made.id}"]


def test_a_record_of_an_image_that_is_gone_hinders_nothing(site: Site) -> None:
    """It is logged."""
    made = site.record()
    site.services.run(site.services.metadata.write(holds.lift, f"deployment/{made.id}"))
    site.services.run(site.services.manifests.delete(REPOSITORY, DIGEST))
    site.services.run(site.deployments.restore_holds())
    assert held(site) == []


def test_a_damaged_record_is_named(tmp_path: Path) -> None:
    """Nothing starts as if it were not there."""
    with open_site(tmp_path / "data") as site:
        made = site.record()
    file = tmp_path / "data" / FOLDER / f"{made.id}.json"
    file.write_text("{}")
    with pytest.raises(RecordsUnreadable, match=made.id), open_site(tmp_path / "data"):
        pass


def test_records_are_private_files(site: Site, tmp_path: Path) -> None:
    """Nobody else reads them."""
    made = site.record()
    assert (tmp_path / "data" / FOLDER / f"{made.id}.json").stat().st_mode & 0o077 == 0


def test_records_and_keys_are_backed_up(site: Site, tmp_path: Path) -> None:
    """A restored folder knows its deployments, and its receipts hold."""
    made = site.record()
    make_backup(tmp_path / "data", tmp_path / "backup")
    restore_backup(tmp_path / "backup", tmp_path / "restored")
    with open_site(tmp_path / "restored") as again:
        keys = again.services.run(again.deployments.keys())
        assert again.deployments.all() == [made]
    assert verify(made.receipt, keys, 1001.0).claims["jti"] == made.id


def test_the_first_deployment_gives_the_workspace_its_registry(site: Site) -> None:
    """As Azure does; before, there is none."""
    before = site.workspaces.show("default").container_registry
    site.record(WANTED)
    assert before is None
    assert str(site.workspaces.show("default").container_registry).endswith(
        "/resourceGroups/default/providers/Microsoft.ContainerRegistry/registries/basegate"
    )

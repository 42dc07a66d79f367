"""Trust: CA files kept for docker and podman, and files that cannot be used."""

from pathlib import Path

import pytest

from registry.registry_client.trust import TrustUnusable, known_ca_files, tls_context


def test_files_kept_for_the_host(tmp_path: Path) -> None:
    """`certs.d/HOST:PORT/*.crt` of the person and of the system are found, others are not."""
    mine, system = tmp_path / ".config/containers/certs.d/h:1", tmp_path / "docker/certs.d"
    for file in (mine / "b.crt", mine / "a.crt", mine / "client.key", system / "h:1/ca.crt", system / "h:2/ca.crt"):
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch()
    found = known_ca_files("h:1", tmp_path, (str(system),))
    assert found == (mine / "a.crt", mine / "b.crt", system / "h:1/ca.crt")


def test_nothing_kept(tmp_path: Path) -> None:
    """Without folders there are no files."""
    assert known_ca_files("h:1", tmp_path, (str(tmp_path / "none"),)) == ()


def test_an_unusable_file_is_named(tmp_path: Path) -> None:
    """A missing file and one without certificates are named."""
    (tmp_path / "empty.crt").write_text("nothing")
    for name in ("empty.crt", "absent.crt"):
        with pytest.raises(TrustUnusable, match=name):
            tls_context((tmp_path / name,))

"""tests/ mirrors the packages: each folder of tests of a package is that of a room."""

import pytest

from tests.architecture.source import ROOT, tracked

FOLDERS = sorted({path.parent for path in tracked() if path.parts[:2] in {("tests", "registry"), ("tests", "policy")}})


@pytest.mark.parametrize("folder", FOLDERS, ids=str)
def test_a_folder_of_tests_is_that_of_a_room(folder: object) -> None:
    """What is tested in it lies in the folder of the same name."""
    assert (ROOT / str(folder).removeprefix("tests/")).is_dir()

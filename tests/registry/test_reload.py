"""Settings that change under a running server."""

from pathlib import Path

import pytest
from structlog.testing import capture_logs

from registry.reload import Reload, compare
from registry.settings import RegistrySettings, SettingsInForce
from registry.settings_sources import SettingsError, load


class _Sources:
    """A settings file that a test can change."""

    def __init__(self, folder: Path) -> None:
        self.file = folder / "basegate.yaml"
        self.write("")

    def write(self, text: str) -> None:
        self.file.write_text(text, encoding="utf-8")

    def read(self) -> RegistrySettings:
        return load(RegistrySettings, self.file, {}, {})


@pytest.fixture
def sources(tmp_path: Path) -> _Sources:
    """An empty settings file."""
    return _Sources(tmp_path)


@pytest.fixture
def in_force(sources: _Sources) -> SettingsInForce[RegistrySettings]:
    """The settings of the empty file."""
    return SettingsInForce(sources.read())


def test_live_settings_are_applied(sources: _Sources, in_force: SettingsInForce[RegistrySettings]) -> None:
    """A live key counts at once, and the change says so."""
    sources.write("{log: {level: debug}, auth: {anonymous_pull: true}, quotas: [{bytes: 5}]}")
    change = Reload(in_force, sources.read).now()
    assert change is not None
    assert set(change.applied) == {"log.level", "auth.anonymous_pull", "quotas"}
    assert in_force.current == sources.read()


def test_other_settings_wait_for_a_restart(sources: _Sources, in_force: SettingsInForce[RegistrySettings]) -> None:
    """A key that cannot change live is named and keeps its value, while its live neighbour changes."""
    sources.write("{listen: '127.0.0.1:1', storage: {threads: 3, cache_seconds: 9}}")
    change = Reload(in_force, sources.read).now()
    assert change == compare(RegistrySettings(), sources.read())
    assert change.waiting == ("listen", "storage.threads")
    assert (in_force.current.listen, in_force.current.storage.threads) == ("127.0.0.1:5000", 8)
    assert in_force.current.storage.cache_seconds == 9


@pytest.mark.parametrize("text", ["log: {level: loud}", "lgo: {}", "a: ["])
def test_a_broken_file_keeps_the_old_settings(
    sources: _Sources, in_force: SettingsInForce[RegistrySettings], text: str
) -> None:
    """Nothing of a file that cannot be used is applied."""
    before = in_force.current
    sources.write(text)
    assert Reload(in_force, sources.read).now() is None
    assert in_force.current is before


def test_a_broken_file_is_reported(sources: _Sources, in_force: SettingsInForce[RegistrySettings]) -> None:
    """The log names the reason."""
    sources.write("lgo: {}")
    with capture_logs() as logged:
        Reload(in_force, sources.read).now()
    assert "there is no setting lgo: did you mean log?" in logged[0]["reason"]


def test_listeners_hear_of_new_settings(sources: _Sources, in_force: SettingsInForce[RegistrySettings]) -> None:
    """Whoever set something up at start-up can set it up again."""
    heard: list[str] = []
    reload = Reload(in_force, sources.read, [lambda settings: heard.append(settings.log.level)])
    sources.write("log: {level: error}")
    reload.now()
    reload.now()
    assert heard == ["error"]


def test_an_unchanged_file_changes_nothing(sources: _Sources, in_force: SettingsInForce[RegistrySettings]) -> None:
    """A reload without a difference is silent."""
    change = Reload(in_force, sources.read).now()
    assert change == compare(in_force.current, in_force.current)


def test_a_removed_file_keeps_the_old_settings(sources: _Sources, in_force: SettingsInForce[RegistrySettings]) -> None:
    """An editor that removes the file for a moment breaks nothing."""
    sources.file.unlink()
    with pytest.raises(SettingsError):
        sources.read()
    assert Reload(in_force, sources.read).now() is None

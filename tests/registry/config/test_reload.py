"""Settings that change under a running server."""

import asyncio
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from registry.config.reload import Change, Follower, Reload, Turn, compare
from registry.config.settings import RegistrySettings, SettingsInForce
from registry.config.sources import SettingsError, load


class _Sources:
    """A settings file that a test can change."""

    def __init__(self, folder: Path) -> None:
        self.file = folder / "basegate.yaml"
        self.write("")

    def write(self, text: str) -> None:
        self.file.write_text(text, encoding="utf-8")

    def read(self) -> RegistrySettings:
        return load(RegistrySettings, self.file, {}, {})


def reload(in_force: SettingsInForce[RegistrySettings], sources: _Sources, *followers: Follower) -> Change | None:
    """Read the file again."""
    return asyncio.run(Reload(in_force, sources.read, followers).now())


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
    change = reload(in_force, sources)
    assert change is not None
    assert set(change.applied) == {"log.level", "auth.anonymous_pull", "quotas"}
    assert in_force.current == sources.read()


def test_other_settings_wait_for_a_restart(sources: _Sources, in_force: SettingsInForce[RegistrySettings]) -> None:
    """A key that cannot change live is named and keeps its value, while its live neighbour changes."""
    sources.write("{listen: '127.0.0.1:1', storage: {threads: 3, cache_seconds: 9}}")
    change = reload(in_force, sources)
    assert change == compare(RegistrySettings(), sources.read())
    assert change.waiting == ("listen", "storage.threads")
    assert (in_force.current.listen, in_force.current.storage.threads) == ("127.0.0.1:5000", 8)
    assert in_force.current.storage.cache_seconds == 9


def test_what_may_change_but_not_come_or_go() -> None:
    """Other certificate files count at once; HTTPS itself is switched on or off by a restart."""
    plain, secure = RegistrySettings(), RegistrySettings(tls_cert=Path("a"), tls_key=Path("k"))
    other = RegistrySettings(tls_cert=Path("b"), tls_key=Path("k"))
    assert compare(secure, other) == Change(("tls_cert",), ())
    assert compare(plain, secure) == Change((), ("tls_cert", "tls_key"))
    assert compare(secure, plain) == Change((), ("tls_cert", "tls_key"))


@pytest.mark.parametrize("text", ["log: {level: loud}", "lgo: {}", "a: ["])
def test_a_broken_file_keeps_the_old_settings(
    sources: _Sources, in_force: SettingsInForce[RegistrySettings], text: str
) -> None:
    """Nothing of a file that cannot be used is applied."""
    before = in_force.current
    sources.write(text)
    assert reload(in_force, sources) is None
    assert in_force.current is before


def test_a_broken_file_is_reported(sources: _Sources, in_force: SettingsInForce[RegistrySettings]) -> None:
    """The log names the reason."""
    sources.write("lgo: {}")
    with capture_logs() as logged:
        reload(in_force, sources)
    assert "there is no setting lgo: did you mean log?" in logged[0]["reason"]


def test_followers_turn_with_the_settings(sources: _Sources, in_force: SettingsInForce[RegistrySettings]) -> None:
    """Whoever set something up at start-up makes ready under the old settings, and turns when the new ones count."""
    levels: list[tuple[str, str]] = []

    async def follower(settings: RegistrySettings) -> Turn:
        ready = (settings.log.level, in_force.current.log.level)
        return lambda: levels.extend([ready, (in_force.current.log.level, "")])

    sources.write("log: {level: error}")
    reload(in_force, sources, follower)
    assert levels == [("error", "info"), ("error", "")]


@pytest.mark.parametrize("reason", [SettingsError("there is no policy x"), OSError("the disk is gone")])
def test_a_follower_that_cannot_follow_keeps_everything_as_it_was(
    sources: _Sources, in_force: SettingsInForce[RegistrySettings], reason: Exception
) -> None:
    """All or nothing: neither the settings nor another follower turns, and one line says why."""
    turned: list[str] = []
    before = in_force.current

    async def willing(_settings: RegistrySettings) -> Turn:
        return lambda: turned.append("turned")

    async def unable(_settings: RegistrySettings) -> Turn:
        raise reason

    sources.write("log: {level: error}")
    with capture_logs() as logged:
        assert reload(in_force, sources, willing, unable) is None
    assert (in_force.current, turned) == (before, [])
    assert [str(reason) in line["reason"] for line in logged] == [True]


def test_an_unchanged_file_changes_nothing(sources: _Sources, in_force: SettingsInForce[RegistrySettings]) -> None:
    """A reload without a difference is silent."""
    change = reload(in_force, sources)
    assert change == compare(in_force.current, in_force.current)


def test_a_removed_file_keeps_the_old_settings(sources: _Sources, in_force: SettingsInForce[RegistrySettings]) -> None:
    """An editor that removes the file for a moment breaks nothing."""
    sources.file.unlink()
    with pytest.raises(SettingsError):
        sources.read()
    assert reload(in_force, sources) is None

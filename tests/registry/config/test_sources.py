"""Settings: four sources in rising order, and one clear line when something is wrong."""

from pathlib import Path

import pytest

from registry.config.group import Group
from registry.config.settings import RegistrySettings
from registry.config.sources import SettingsError, load


class _Policy(Group):
    active: str = "none"


class _Wider(RegistrySettings):
    """What a package on top of the registry does."""

    policy: _Policy = _Policy()


def _file(folder: Path, text: str) -> Path:
    path = folder / "basegate.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def _refusal(file: Path | None = None, flags: dict[str, object] | None = None, **environment: str) -> str:
    with pytest.raises(SettingsError) as caught:
        load(RegistrySettings, file, flags or {}, environment)
    text = str(caught.value)
    assert "\n" not in text
    return text


def test_defaults_need_no_source() -> None:
    """Without file, environment and flags the documented defaults hold."""
    assert load(RegistrySettings, None, {}, {}) == RegistrySettings()


def test_file_overrides_defaults(tmp_path: Path) -> None:
    """A key in the file wins over the default; its neighbours keep theirs."""
    settings = load(RegistrySettings, _file(tmp_path, "limits: {tags_page: 7}"), {}, {})
    assert (settings.limits.tags_page, settings.limits.catalog_page) == (7, 100)


def test_environment_overrides_file(tmp_path: Path) -> None:
    """`BASEGATE_GROUP__KEY` wins over the file."""
    file = _file(tmp_path, "limits: {tags_page: 7, catalog_page: 8}")
    settings = load(RegistrySettings, file, {}, {"BASEGATE_LIMITS__TAGS_PAGE": "9"})
    assert (settings.limits.tags_page, settings.limits.catalog_page) == (9, 8)


def test_flags_override_environment() -> None:
    """A flag that was given wins over everything; one that was not given says nothing."""
    environment = {"BASEGATE_LISTEN": "127.0.0.1:1", "BASEGATE_DATA": "/d"}
    settings = load(RegistrySettings, None, {"listen": "127.0.0.1:2", "data": None}, environment)
    assert (settings.listen, settings.data) == ("127.0.0.1:2", Path("/d"))


def test_other_variables_are_ignored() -> None:
    """Variables without the prefix, and those that the commands read themselves, are no settings."""
    environment = {"PATH": "/bin", "BASEGATE_CONFIG": "x.yaml", "BASEGATE_PASSWORD": "p"}
    assert load(RegistrySettings, None, {}, environment) == RegistrySettings()


def test_list_of_groups_in_the_environment() -> None:
    """Lists and groups are written as JSON."""
    settings = load(RegistrySettings, None, {}, {"BASEGATE_QUOTAS": '[{"repositories": "a/*, b", "bytes": 5}]'})
    assert (settings.quotas[0].repositories, settings.quotas[0].bytes) == (("a/*", "b"), 5)


def test_networks_are_read_from_words() -> None:
    """Addresses and networks may be separated by commas."""
    settings = load(RegistrySettings, None, {}, {"BASEGATE_SERVER__TRUSTED_PROXIES": "10.0.0.0/8, ::1"})
    assert [str(network) for network in settings.server.trusted_proxies] == ["10.0.0.0/8", "::1/128"]


def test_a_subclass_brings_its_own_groups(tmp_path: Path) -> None:
    """The loader serves any class of settings."""
    assert load(_Wider, _file(tmp_path, "policy: {active: strict}"), {}, {}).policy.active == "strict"


def test_unknown_key_names_the_nearest(tmp_path: Path) -> None:
    """A misspelt key is an error that says which one was probably meant."""
    text = _refusal(_file(tmp_path, "limits: {tag_page: 7}"))
    assert "no setting limits.tag_page" in text
    assert "did you mean limits.tags_page?" in text


def test_unknown_variable_is_named() -> None:
    """A misspelt environment variable is an error as well."""
    assert "environment variable BASEGATE_LIMTS__TAGS_PAGE: there is no setting limts" in _refusal(
        BASEGATE_LIMTS__TAGS_PAGE="7"
    )


def test_unknown_key_inside_a_list_is_named(tmp_path: Path) -> None:
    """Groups within lists are checked too."""
    assert "quotas.0.byte" in _refusal(_file(tmp_path, "quotas: [{byte: 7, bytes: 1}]"))


def test_bad_value_names_key_found_and_needed() -> None:
    """The line says which key, what was found and what is needed."""
    text = _refusal(BASEGATE_LIMITS__TAGS_PAGE="many")
    assert "setting limits.tags_page is 'many'" in text
    assert "needs a whole number" in text


@pytest.mark.parametrize("url", ["httpx://ann:hidden@h/x", "https://hidden@h/x", "https://:hidden@h/x"])
def test_no_login_in_a_url_is_told(url: str) -> None:
    """Wherever it stands in the settings, and whatever is wrong with it."""
    with pytest.raises(SettingsError) as refused:
        load(RegistrySettings, None, {"events.sinks": [{"name": "a", "url": url}]}, {})
    assert ("events.sinks.0.url" in str(refused.value), "hidden" in str(refused.value)) == (True, False)


def test_a_group_that_is_a_word_is_refused(tmp_path: Path) -> None:
    """A scalar where a group belongs is an error, not a crash."""
    assert "setting limits is 'none'" in _refusal(_file(tmp_path, "limits: none"))


@pytest.mark.parametrize("text", ["a: [", "- 1", "\x00"])
def test_unreadable_file_is_one_line(tmp_path: Path, text: str) -> None:
    """What is not YAML, or not keys and values, is named with its file."""
    file = _file(tmp_path, text)
    assert str(file) in _refusal(file)


def test_a_key_that_stands_twice_is_refused(tmp_path: Path) -> None:
    """Whoever reads the file would see one of them, and the server use the other."""
    file = _file(tmp_path, "limits: {tags_page: 5}\nlimits: {tags_page: 7}\n")
    assert _refusal(file) == f"settings file {file} is not YAML: 'limits' stands twice: keep one"


def test_what_is_named_once_can_be_used_again(tmp_path: Path) -> None:
    """Anchors, aliases and merges are read in a settings file."""
    text = "quotas: [{repositories: a, bytes: &most 7}, {repositories: b, bytes: *most}]"
    assert [quota.bytes for quota in load(RegistrySettings, _file(tmp_path, text), {}, {}).quotas] == [7, 7]


def test_a_broken_variable_is_one_line() -> None:
    """It is named, with what is wrong in it."""
    text = _refusal(BASEGATE_LIMITS="{tags_page: 5")
    assert text.startswith("environment variable BASEGATE_LIMITS is neither JSON nor YAML: ")


def test_missing_file_is_an_error(tmp_path: Path) -> None:
    """A file that was named must exist."""
    assert "cannot be read: No such file" in _refusal(tmp_path / "none.yaml")


def test_empty_file_means_defaults(tmp_path: Path) -> None:
    """A file with nothing but comments is fine."""
    assert load(RegistrySettings, _file(tmp_path, "# nothing\n"), {}, {}) == RegistrySettings()

"""What a wrong value needs to be is said without Python's words and pydantic's."""

import re
from pathlib import Path

import pytest

from policy.settings import Settings
from registry.config.sources import SettingsError, load
from tests.architecture.source import ROOT

PROGRAMS_WORDS = re.compile(
    r"\b(tuple|dict|dictionary|instance|valid|str|int|bool|None|Field|Input|ImmutableTags|Quota|Binding)\b"
)
FILES = {
    "quotas: 5": "setting quotas is '5': needs a list",
    "quotas: [{repositories: [a]}]": "setting quotas.0.bytes: needs a value",
    "quotas: [{bytes: -1}]": "setting quotas.0.bytes is '-1': needs 0 or more",
    "immutable_tags: [v1]": "setting immutable_tags.0 is 'v1': needs names with values",
    "policy: {bindings: [1]}": "setting policy.bindings.0 is '1': needs names with values",
    "listen: 5": "setting listen is '5': needs a text",
    "gc: {grace_seconds: -1}": "setting gc.grace_seconds is '-1': needs 0 or more",
    "gc: {grace_seconds: long}": "setting gc.grace_seconds is 'long': needs a whole number",
    "gc: none": "setting gc is 'none': needs names with values",
    "manifests: {deletes: maybe}": "setting manifests.deletes is 'maybe': needs true or false",
    "storage: {copy_seconds: 61}": "setting storage.copy_seconds is '61': needs 60",
    "log: {level: loud}": "setting log.level is 'loud': needs 'debug', 'info', 'warning' or 'error'",
}


@pytest.mark.parametrize(("text", "said"), FILES.items())
def test_a_wrong_setting(tmp_path: Path, text: str, said: str) -> None:
    """What was found where, and what is needed."""
    (tmp_path / "basegate.yaml").write_text(text)
    with pytest.raises(SettingsError) as refusal:
        load(Settings, tmp_path / "basegate.yaml", {}, {})
    words = str(refusal.value)
    assert words.startswith(said)
    assert not PROGRAMS_WORDS.search(words)


def test_the_lists_that_a_page_shows(tmp_path: Path) -> None:
    """docs/operations.md has an example of each, which can be used as it stands."""
    page = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
    block = page.partition("Settings that are lists")[2].partition("    immutable_tags:")
    text = "\n".join(line[4:] for line in (block[1] + block[2]).partition("\n\n")[0].splitlines())
    (tmp_path / "basegate.yaml").write_text(text)
    found = load(Settings, tmp_path / "basegate.yaml", {}, {})
    assert (len(found.immutable_tags), len(found.quotas), len(found.policy.bindings)) == (1, 2, 2)

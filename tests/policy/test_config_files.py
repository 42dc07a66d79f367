"""The committed example and schema of the settings are those of the program."""

from pathlib import Path

from policy.settings import Settings
from registry.config.example import example, schema
from registry.config.sources import load

CONFIG = Path(__file__).parents[2] / "config"
HOW = "write it anew: basegate config {word} > config/{name}"


def test_example_equals_the_defaults() -> None:
    """A server started with the example does what one without a file does."""
    assert load(Settings, CONFIG / "basegate.yaml", {}, {}) == Settings()


def test_example_is_up_to_date() -> None:
    """Every setting is in it, with its meaning."""
    text = (CONFIG / "basegate.yaml").read_text(encoding="utf-8")
    assert text == example(Settings()), HOW.format(word="example", name="basegate.yaml")


def test_schema_is_up_to_date() -> None:
    """Editors know every setting."""
    text = (CONFIG / "basegate.schema.json").read_text(encoding="utf-8")
    assert text == schema(Settings), HOW.format(word="schema", name="basegate.schema.json")

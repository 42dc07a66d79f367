"""Platforms in normal form, as containerd gives it."""

import pytest

from registry.oci.platforms import Platform, platform_of_config


@pytest.mark.parametrize(
    ("written", "normal"),
    [
        (("linux", "amd64", ""), "linux/amd64"),
        (("linux", "x86_64", ""), "linux/amd64"),
        (("linux", "x86-64", "v1"), "linux/amd64"),
        (("Linux", "AMD64", "V2"), "linux/amd64/v2"),
        (("linux", "aarch64", "8"), "linux/arm64"),
        (("linux", "arm64", "v8"), "linux/arm64"),
        (("linux", "arm64", "9.0"), "linux/arm64/v9"),
        (("linux", "armhf", ""), "linux/arm/v7"),
        (("linux", "armel", "v7"), "linux/arm/v6"),
        (("linux", "arm", ""), "linux/arm/v7"),
        (("linux", "arm", "6"), "linux/arm/v6"),
        (("linux", "i386", "v5"), "linux/386"),
        (("macOS", "arm64", ""), "darwin/arm64"),
        (("", "amd64", ""), "linux/amd64"),
        (("linux", "riscv64", ""), "linux/riscv64"),
    ],
)
def test_normal_form(written: tuple[str, str, str], normal: str) -> None:
    """What runtimes compare, whatever was written."""
    assert str(Platform(*written).normal) == normal


@pytest.mark.parametrize(
    "written",
    [("linux", "x86_64"), ("Linux", "amd64"), ("linux", "armhf"), ("", "amd64"), ("linux", ""), ("macos", "x")],
)
def test_other_spellings_are_not_normal(written: tuple[str, str]) -> None:
    """A name that is missing is none in normal form either."""
    assert not Platform(*written).is_normal


@pytest.mark.parametrize("variant", ["", "v7", "v8", "7"])
def test_a_variant_does_not_matter(variant: str) -> None:
    """Policies name systems and architectures."""
    assert Platform("linux", "arm", variant).is_normal


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        (b'{"os": "linux", "architecture": "arm64", "config": {}}', Platform("linux", "arm64")),
        (b'{"os": 7, "architecture": null}', Platform()),
        (b'{"architecture": "%s"}' % (b"a" * 100), Platform("", "a" * 64)),
        (b"[]", Platform()),
        (b"{", Platform()),
        (b'{"os": "linux", "os": "windows"}', Platform()),
    ],
)
def test_the_platform_of_a_configuration(raw: bytes, expected: Platform) -> None:
    """Empty where it cannot be told."""
    assert platform_of_config(raw) == expected

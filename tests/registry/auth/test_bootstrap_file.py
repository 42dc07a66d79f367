"""The bootstrap file: what is read, and how a person is told what is wrong."""

from pathlib import Path

import pytest

from registry.auth.actions import Role
from registry.auth.bootstrap_file import BootstrapRefused, read_bootstrap

SECRET = "a-secret-of-twenty-1"


def written(tmp_path: Path, text: str | bytes) -> Path:
    """A bootstrap file."""
    path = tmp_path / "bootstrap.yaml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def test_what_is_wanted(tmp_path: Path) -> None:
    """Name, role, patterns and secret, in the order of the file."""
    ci = f"- {{name: ci, role: AcrPush, repositories: [team/*, lab], secret: {SECRET}}}"
    first, second = read_bootstrap(written(tmp_path, f"{ci}\n- {{name: r, role: AcrPull, secret: {SECRET}}}"))
    assert (first.name, first.role, first.repositories) == ("ci", Role.ACR_PUSH, ("team/*", "lab"))
    assert (first.secret, second.secret) == (SECRET, SECRET)
    assert (second.name, second.repositories) == ("r", ("*",))


def test_a_secret_of_its_own_file(tmp_path: Path) -> None:
    """Beside the bootstrap file; the end of its line is none of it."""
    (tmp_path / "key").write_text(f"{SECRET}\n")
    (wanted,) = read_bootstrap(written(tmp_path, "- {name: ci, role: Owner, repositories: team/*, secret_file: key}"))
    assert (wanted.secret, wanted.repositories) == (SECRET, ("team/*",))


def test_digits_are_a_text(tmp_path: Path) -> None:
    """YAML would make a number of them."""
    (wanted,) = read_bootstrap(written(tmp_path, "- {name: ci, role: Owner, secret: 01234567890123456789}"))
    assert wanted.secret == "01234567890123456789"


def test_what_is_printed_of_it_is_no_secret(tmp_path: Path) -> None:
    """In a traceback, for one."""
    (wanted,) = read_bootstrap(written(tmp_path, f"- {{name: ci, role: Owner, secret: {SECRET}}}"))
    assert SECRET not in repr(wanted)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", ": needs a list of principals"),
        ("name: ci", ": needs a list of principals"),
        ("- ci", " line 1: the item is no mapping"),
        ("-\n  role: Owner", " line 2: name is missing"),
        ("- name: ci\n  role: Emperor", " line 2: role is 'Emperor': needs AcrPull, AcrPush, AcrDelete, "),
        ("- name: ci", " line 1: role is missing"),
        ("- name: b a d\n  role: Owner", " line 1: name cannot be used"),
        ("- name: [ci]\n  role: Owner", " line 1: name needs a text"),
        ("- name: ci\n  role: Owner\n  repositories: [NO]", " line 3: repositories cannot be used"),
        ("- name: ci\n  role: Owner", " line 1: secret and secret_file are missing"),
        ("- {name: ci, role: Owner, secret: x, secret_file: y}", " line 1: secret and secret_file are both there"),
        ("- name: ci\n  role: Owner\n  secret: short", " line 3: secret needs 16 to 512 printable"),
        ("- name: ci\n  role: Owner\n  secret: with white space in it", " line 3: secret needs 16 to 512 printable"),
        ("- name: ci\n  role: Owner\n  secret_file: none", " line 3: secret_file is 'none': file "),
        ("- name: ci\n  rolle: Owner", " line 2: a field is not known: did you mean role?"),
        ("- name: ci\n  name: ci", " line 2: name is there twice"),
        ("- name: 'ci", " line 1 is not YAML"),
        ("[" * 5000, "is not YAML"),
        (b"\xff\xfe\x00", "is not UTF-8 text"),
        ("#" * (1 << 20) + "#", "has more than 1048576 bytes"),
    ],
)
def test_what_cannot_be_used(tmp_path: Path, text: str | bytes, said: str) -> None:
    """The line and the field, and what is needed."""
    path = written(tmp_path, text)
    with pytest.raises(BootstrapRefused) as caught:
        read_bootstrap(path)
    assert said in str(caught.value)
    assert str(caught.value).startswith(f"bootstrap file {path}")


def test_a_name_that_comes_twice(tmp_path: Path) -> None:
    """Both lines are named."""
    item = f"- {{name: ci, role: Owner, secret: {SECRET}}}\n"
    with pytest.raises(BootstrapRefused, match=r"line 2: name is the same as in line 1"):
        read_bootstrap(written(tmp_path, item * 2))


@pytest.mark.parametrize(
    "text",
    [
        f"- name: ci\n  role: Owner\n  secret: '{SECRET}",
        f"- name: ci\n  role: Owner\n  secret:{SECRET}",
        f"- name: ci\n  ? secret:{SECRET}\n",
        f"- name: ci\n  secret:{SECRET}: x\n",
        f"- name: ci\n  role: Owner\n  secret: {SECRET} {SECRET}",
        f"- secret:{SECRET}",
        f"{SECRET}",
    ],
)
def test_no_message_shows_a_secret(tmp_path: Path, text: str) -> None:
    """However the file is broken."""
    with pytest.raises(BootstrapRefused) as caught:
        read_bootstrap(written(tmp_path, text))
    assert SECRET not in str(caught.value)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    """It is named, with the reason."""
    with pytest.raises(BootstrapRefused, match=r"none.yaml cannot be read: No such file"):
        read_bootstrap(tmp_path / "none.yaml")

"""Heads of responses as bytes: one field is one line, whatever the application puts into it."""

import pytest

from registry.http.response_head import field_lines, read_framing

GOOD = [(b"content-length", b"5"), (b"x-a", b"tabs\tand \xe4 stay")]


def test_each_field_is_a_line() -> None:
    """Names in lower case, also where the fields can be walked only once."""
    assert field_lines(iter([*GOOD, (b"X-B", b"")])) == [
        b"content-length: 5\r\n", b"x-a: tabs\tand \xe4 stay\r\n", b"x-b: \r\n"
    ]  # fmt: skip


@pytest.mark.parametrize("value", [b"a\r\nx: y", b"a\nb", b"a\rb", b"\x00", b"\x7f", b"\x1b[0m"])
def test_a_value_that_could_be_more_than_one_line_is_refused(value: bytes) -> None:
    """Wherever it stands; the message names its header."""
    with pytest.raises(ValueError, match="'x-bad' holds"):
        field_lines([*GOOD, (b"x-bad", value), *GOOD])


@pytest.mark.parametrize("name", [b"", b"a b", b"a:", b"a\r\nb", b"\xe4"])
def test_a_name_that_is_no_token_is_refused(name: bytes) -> None:
    """Every time it is used."""
    for _ in range(2):
        with pytest.raises(ValueError, match="holds bytes that no header may hold"):
            field_lines([(name, b"")])


@pytest.mark.parametrize(
    ("fields", "framing"),
    [
        (GOOD, (5, False)),
        ([(b"Content-Length", b"0"), (b"Connection", b"keep-alive, Close")], (0, True)),
        ([(b"connection", b"upgrade")], (None, False)),
    ],
)
def test_framing(fields: list[tuple[bytes, bytes]], framing: tuple[int | None, bool]) -> None:
    """The announced length and whether the connection ends, names and tokens in any case."""
    assert read_framing(fields) == framing

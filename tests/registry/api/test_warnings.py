"""`Warning: 299 - "text"` headers (distribution-spec, "Warnings")."""

import pytest
from starlette.responses import Response

from registry.api.responses import add_warnings


def _warnings(*texts: str, maximum: int = 4096) -> list[str]:
    response = Response()
    add_warnings(response, texts, maximum)
    return response.headers.getlist("warning")


def test_form() -> None:
    """Code 299, agent `-`, quoted text, no date."""
    assert _warnings("soon refused") == ['299 - "soon refused"']


@pytest.mark.parametrize(
    ("text", "shown"),
    [('a "b" \\c', 'a \\"b\\" \\\\c'), ("a\r\nSet-Cookie: x", "a  Set-Cookie: x"), ("naïve", "na?ve")],
)
def test_text_cannot_leave_its_quotes(text: str, shown: str) -> None:
    """Quotes are escaped, line ends and what is not ASCII replaced."""
    assert _warnings(text) == [f'299 - "{shown}"']


def test_total_is_bounded() -> None:
    """All values together stay within the limit; what does not fit is left out."""
    values = _warnings(*["x" * 1000] * 10)
    assert 0 < sum(map(len, values)) <= 4096

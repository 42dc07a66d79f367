"""The form of a token request (application/x-www-form-urlencoded, RFC 6749 appendix B)."""

from urllib.parse import parse_qsl

from registry.oci.errors import BadRequest

_FIELDS_MAXIMUM = 1000

Fields = list[tuple[str, str]]


def parse_form(body: bytes) -> Fields:
    """Parse a form; names may be repeated.

    Raises:
        BadRequest: not UTF-8, or more than 1000 fields.
    """
    try:
        return parse_qsl(body.decode(), keep_blank_values=True, errors="strict", max_num_fields=_FIELDS_MAXIMUM)
    except ValueError as error:
        raise BadRequest("the form cannot be read: send application/x-www-form-urlencoded in UTF-8") from error

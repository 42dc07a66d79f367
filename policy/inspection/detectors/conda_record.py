"""Detector `conda-record`: Conda's installation records of the packages `conda` and `python`."""

import re
from collections.abc import Mapping

from policy.inspection.detectors.detector import Detector, Unreadable
from registry.oci import strict_json

_PLAIN = re.compile(r"[0-9A-Za-z_.!+]{1,128}")
_MEMBERS = ("name", "version", "build")


def read(body: bytes) -> Mapping[str, str]:
    """`{"name", "version", "build"}` of the package.

    Raises:
        Unreadable: not strict JSON, or one of the three is missing or malformed.
    """
    try:
        record = strict_json.loads(body)
    except strict_json.JsonRefused as error:
        raise Unreadable(str(error)) from None
    if not isinstance(record, dict):
        raise Unreadable("not a JSON object")
    for member in _MEMBERS:
        value = record.get(member)
        if not isinstance(value, str) or not _PLAIN.fullmatch(value):
            raise Unreadable(f"its {member} is {str(value)[:80]!r}: needs letters, digits and . _ + !")
    return {member: record[member] for member in _MEMBERS}


CONDA_RECORD = Detector("conda-record", 1, rb"(?:conda|python)-[^-]+-[^-]+\.json", read)

"""Detector `pyvenv`: the version and origin that a virtual environment names in `pyvenv.cfg` (PEP 405)."""

from collections.abc import Mapping

from policy.inspection.detectors.detector import Detector


def read(body: bytes) -> Mapping[str, str]:
    """`{"version", "home"}` as far as they are set; `version_info` of virtualenv counts as version."""
    values: dict[str, str] = {}
    for line in body.decode("utf-8", "replace").split("\n"):
        key, equals, value = line.partition("=")
        if equals:
            values.setdefault(key.strip().lower(), value.strip()[:256])
    version = values.get("version") or ".".join(values.get("version_info", "").split(".")[:3])
    return {key: value for key, value in (("version", version), ("home", values.get("home", ""))) if value}


PYVENV = Detector("pyvenv", 1, rb"pyvenv\.cfg", read, limit=64 * 1024)

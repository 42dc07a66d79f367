"""Detector `launcher`: whether a file named `conda` is a program or a script, which its user must be able to read."""

from collections.abc import Mapping

from policy.inspection.detectors.detector import Detector
from policy.inspection.detectors.interpreter import form_of


def read(body: bytes) -> Mapping[str, str]:
    """`{"format": "elf" | "script" | "other"}`."""
    return {"format": form_of(body)}


LAUNCHER = Detector("launcher", 1, rb"conda", read, limit=256, beginning=True)

"""Detector `launcher`: whether a file named `conda` is a program or a script, and what the kernel starts for it."""

from collections.abc import Mapping

from policy.inspection.detectors.detector import Detector
from policy.inspection.detectors.interpreter import form_of, starter_of


def read(body: bytes) -> Mapping[str, str]:
    """`{"format": "elf" | "script" | "other", "starter": "/opt/conda/bin/python"}`; `starter` where there is one."""
    starter = starter_of(body)
    return {"format": form_of(body), "starter": starter} if starter else {"format": form_of(body)}


LAUNCHER = Detector("launcher", 1, rb"conda", read, limit=4096, beginning=True)

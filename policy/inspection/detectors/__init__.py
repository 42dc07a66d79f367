"""The detectors: one file each, in one list. Adding a detector needs no other change."""

from policy.inspection.detectors.accounts import ACCOUNTS
from policy.inspection.detectors.conda_lookalike import CONDA_LOOKALIKE
from policy.inspection.detectors.conda_record import CONDA_RECORD
from policy.inspection.detectors.detector import Detector, Unreadable
from policy.inspection.detectors.dpkg import DPKG
from policy.inspection.detectors.interpreter import INTERPRETER
from policy.inspection.detectors.launcher import LAUNCHER
from policy.inspection.detectors.os_release import OS_RELEASE
from policy.inspection.detectors.patchlevel import PATCHLEVEL
from policy.inspection.detectors.pyvenv import PYVENV

DETECTORS: tuple[Detector, ...] = (
    ACCOUNTS,
    CONDA_LOOKALIKE,
    CONDA_RECORD,
    DPKG,
    INTERPRETER,
    LAUNCHER,
    OS_RELEASE,
    PATCHLEVEL,
    PYVENV,
)
ENGINE = "layers@5"


def names(detectors: tuple[Detector, ...]) -> tuple[str, ...]:
    """`name@version` of each, sorted, with the version of the engine that reads layers: the key of an inspection."""
    return tuple(sorted([ENGINE, *(f"{detector.name}@{detector.version}" for detector in detectors)]))


__all__ = ["DETECTORS", "Detector", "Unreadable", "names"]

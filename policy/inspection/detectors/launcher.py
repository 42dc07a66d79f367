"""Detector `launcher`: how the kernel starts `conda`, interpreters of scripts, and loaders of programs.

A script starts when its interpreter does, a program when its loader does (execve(2)). Shells, env and ld.so have these
names everywhere; files of other names are not read, and whatever depends on them is inconclusive.
"""

from policy.inspection.detectors.detector import Detector
from policy.inspection.detectors.interpreter import started_by

LAUNCHER = Detector(
    "launcher",
    5,
    rb"conda|(?:ba|da|a|z|k|mk)?sh|busybox|env|ld[0-9A-Za-z_.-]{0,40}\.so[0-9.]{0,8}",
    started_by,
    limit=4096,
    beginning=True,
)

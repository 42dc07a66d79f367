"""Detector `launcher`: what the kernel starts for `conda`, for what interprets scripts, and for loaders of programs.

A script starts when its interpreter does, and a program when its loader is one (execve(2)): shells, env and ld.so have
these names everywhere. What has another name was not read, and what depends on it cannot be told.
"""

from policy.inspection.detectors.detector import Detector
from policy.inspection.detectors.interpreter import started_by

LAUNCHER = Detector(
    "launcher",
    4,
    rb"conda|(?:ba|da|a|z|k|mk)?sh|busybox|env|ld[0-9A-Za-z_.-]{0,40}\.so[0-9.]{0,8}",
    started_by,
    limit=4096,
    beginning=True,
)

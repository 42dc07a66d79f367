"""Who runs a command."""

import os
import pwd

from registry.telemetry.operator_name import operator_name


def test_it_is_the_user_of_the_process() -> None:
    """Not what the environment says."""
    assert operator_name().split(" ")[0] == pwd.getpwuid(os.getuid()).pw_name

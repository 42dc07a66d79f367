"""basegate with a clock that is ahead: `python -m tests.ahead SECONDS serve …`; nothing in it knows."""

import sys
import time


def move_clock(seconds: float) -> None:
    """Let this process think that it is later; before any module of basegate is imported."""
    here = time.time
    time.time = lambda: here() + seconds


if __name__ == "__main__":
    move_clock(float(sys.argv.pop(1)))
    from policy.__main__ import main

    main()

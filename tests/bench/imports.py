"""What the first registry of a test process waits for: importing the server, beside importing what it is built on."""

import os
import resource
import statistics
import subprocess
import sys

from tests.bench.figures import Figure

PACKAGES = (
    "import sqlalchemy, pydantic, starlette, uvicorn, httpx, structlog, yaml, cryptography.hazmat.primitives.hashes"
)
PLAIN = "import policy.testing.server"
QUICK = (
    "from registry.server.quick_imports import quick_imports\nwith quick_imports():\n    import policy.testing.server"
)
RATIO = 1.0
"""Of the plugin's imports to plain ones: a goal of ours, as these would need no code."""


def measure_imports(rounds: int) -> list[Figure]:
    """Processor seconds of each, in interleaved rounds; medians, and their ratios."""
    seen: dict[str, list[float]] = {PACKAGES: [], PLAIN: [], QUICK: []}
    for _ in range(rounds + 1):  # the first makes the bytecode
        for program, seconds in seen.items():
            seconds.append(_seconds(program))
    packages, plain, quick = (statistics.median(seconds[1:]) for seconds in seen.values())
    return [
        Figure("imports of the packages that a registry for tests is built on", "basegate", packages, "s"),
        Figure("imports of a registry for tests, plainly", "basegate", plain, "s"),
        Figure("imports of a registry for tests, by the plugin", "basegate", quick, "s"),
        Figure("imports by the plugin, of plain ones", "basegate", quick / plain, "", RATIO),
        Figure("imports by the plugin, of the packages alone", "basegate", quick / packages, ""),
    ]


def _seconds(program: str) -> float:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": ""}
    subprocess.run([sys.executable, "-c", program], check=True, env=environment)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime

"""The commands of docs/verdicts.md, typed as written beside a live server."""

import os
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from tests.architecture.source import ROOT
from tests.policy.live import LiveGateway

_COMMAND = re.compile(r"^ {4}((?:basegate|curl|cosign|sed) .+)$", re.MULTILINE)
_SHOWN_HOST = "127.0.0.1:5000"
_SECONDS = 600


def commands(program: str) -> list[str]:
    """Those of one program, in the order of the page."""
    page = (ROOT / "docs" / "verdicts.md").read_text(encoding="utf-8")
    return [line for line in _COMMAND.findall(page) if line.startswith(f"{program} ")]


def type_in(folder: Path, live: LiveGateway, line: str, more: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    """Type a line in a folder that has `config` and `data` in it, as the reader."""
    for name, target in (("config", ROOT / "config"), ("data", live.registry.data)):
        if not (folder / name).exists():
            (folder / name).symlink_to(target)
    signed_in = {"BASEGATE_USERNAME": "reader", "BASEGATE_PASSWORD": live.secrets["reader"], "HOME": str(folder)}
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    return subprocess.run(
        ["sh", "-c", line.replace(_SHOWN_HOST, live.host)],
        cwd=folder,
        env={"PATH": path, **signed_in, **more},
        capture_output=True,
        text=True,
        timeout=_SECONDS,
        check=False,
    )

"""Pictures of every page: `make web-shots` makes them for somebody who did not write the pages to look at."""

import re
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal

from tests.policy.web.chromium import PATHS, chromium, shown_registry, sign_in

WIDTHS = (320, 1280)
SCHEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")


def take(target: Path) -> int:
    """Take them into a folder; how many there are."""
    target.mkdir(parents=True, exist_ok=True)
    count = 0
    with TemporaryDirectory() as folder, shown_registry(Path(folder)) as gateway, chromium() as browser:
        for width in WIDTHS:
            for scheme in SCHEMES:
                context = browser.new_context(color_scheme=scheme, viewport={"width": width, "height": 900})
                page = sign_in(context, gateway)
                for path in PATHS:
                    page.goto(f"{gateway.registry.url}{path}")
                    name = re.sub(r"[^A-Za-z0-9.]+", "-", path).strip("-")[:60] or "catalog"
                    page.screenshot(path=target / f"{name}-{width}-{scheme}.png", full_page=True)
                    count += 1
                count += 1
                page.goto(f"{gateway.registry.url}/rotate/outsider")
                page.click("main form button")
                page.screenshot(path=target / f"secrets-{width}-{scheme}.png", full_page=True)
                context.close()
    return count


if __name__ == "__main__":
    sys.stdout.write(f"{take(Path(sys.argv[1]))} pictures in {sys.argv[1]}\n")

"""The image of the Dockerfile beside this file as an archive of `docker save`, where there is no docker.

python3 config/examples/offline/archive.py good.tar
python3 config/examples/offline/archive.py bad.tar --python 3.7.1
"""

import argparse
import hashlib
import io
import json
import re
import tarfile
from pathlib import Path

HERE = Path(__file__).parent


def main() -> None:
    """Write the archive that is asked for."""
    versions = sorted(folder.name.removeprefix("python-") for folder in HERE.glob("python-*"))
    parser = argparse.ArgumentParser(description="Make an image for trying basegate, without docker or a network.")
    parser.add_argument("archive", type=Path, help="the file to write, for basegate import")
    parser.add_argument("--python", choices=versions, default=versions[0], help="the Python in it")
    asked = parser.parse_args()
    layers = [layer(HERE / "root"), layer(HERE / f"python-{asked.python}")]
    asked.archive.write_bytes(archive(layers, configuration(layers)))


def layer(folder: Path) -> bytes:
    """The files of a folder as a layer; the same files give the same bytes."""
    held = io.BytesIO()
    with tarfile.open(fileobj=held, mode="w") as tar:
        for path in sorted(folder.rglob("*")):
            member = tar.gettarinfo(path, str(path.relative_to(folder)))
            member.uid = member.gid = member.mtime = 0
            member.uname = member.gname = ""
            member.mode = 0o755 if path.is_dir() or path.parent.name == "bin" else 0o644
            tar.addfile(member, io.BytesIO(path.read_bytes()) if member.isreg() else None)
    return held.getvalue()


def configuration(layers: list[bytes]) -> bytes:
    """The configuration of the image, with the PATH of the Dockerfile."""
    path = re.search(r"^ENV (PATH=.*)$", (HERE / "Dockerfile").read_text(encoding="utf-8"), re.MULTILINE)
    document = {
        "architecture": "amd64",
        "os": "linux",
        "config": {"Env": [path[1]] if path else [], "Cmd": ["python"]},
        "rootfs": {"type": "layers", "diff_ids": [f"sha256:{hashlib.sha256(each).hexdigest()}" for each in layers]},
    }
    return json.dumps(document).encode()


def archive(layers: list[bytes], config: bytes) -> bytes:
    """The form that `docker save` writes: a list of images, and their files."""
    files = {f"{hashlib.sha256(each).hexdigest()}/layer.tar": each for each in layers}
    named = f"{hashlib.sha256(config).hexdigest()}.json"
    image = {"Config": named, "RepoTags": ["offline:latest"], "Layers": list(files)}
    held = io.BytesIO()
    with tarfile.open(fileobj=held, mode="w") as tar:
        for name, content in {**files, named: config, "manifest.json": json.dumps([image]).encode()}.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return held.getvalue()


if __name__ == "__main__":
    main()

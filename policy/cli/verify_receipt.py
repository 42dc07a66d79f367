"""`basegate verify-receipt`: does a receipt hold? Without the registry, from its public keys alone.

Exit codes: 0 it holds, 1 it does not, 2 could not tell.
"""

import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from policy.cli.check import read_config
from policy.deployments.receipt_key import RECEIPT_KEY_FILE, receipt_keys
from policy.deployments.receipts import Receipt, ReceiptUnreadable, ReceiptWrong, read_keys, verify
from policy.gateway.inference_config.parse import parse
from policy.gateway.inference_config.secrets import without_secrets
from registry.cli.output import for_programs, json_option
from registry.errors import visible
from registry.oci.canonical_json import digest_of
from registry.oci.timestamp import timestamp

_PATH = click.Path(path_type=Path)


@click.command("verify-receipt", short_help="Verify a deployment's receipt, offline.")
@click.argument("file", type=_PATH)
@click.option("--keys", envvar="BASEGATE_KEYS", type=_PATH, help="The registry's public keys (/policy/v1/keys).")
@click.option("--data", type=_PATH, help="Or the registry's data folder.")
@click.option("--image", default="", help="The image, by its digest, that the receipt has to be about.")
@click.option("--ic", type=_PATH, help="The pinned configuration that the receipt has to be about.")
@json_option
def verify_receipt_command(  # noqa: PLR0913
    file: Path, *, keys: Path | None, data: Path | None, image: str, ic: Path | None, as_json: bool
) -> None:
    """Was what FILE says signed by the registry, and does it still count?

    Exit code 0: yes, 1: no, 2: could not tell.
    """
    public_keys = _keys(keys, data)
    try:
        receipt = verify(_text(file), public_keys, time.time())
        _require_same(receipt, image, ic)
    except ReceiptWrong as error:
        click.echo(f"wrong: {visible(error)}")
        sys.exit(1)
    click.echo(for_programs(dict(receipt.claims)) if as_json else _words(receipt.claims))


def _keys(keys: Path | None, data: Path | None) -> Mapping[str, Any]:
    if (keys is None) == (data is None):
        how = "basegate deployment keys --gateway HOST:PORT > keys.json"
        raise click.UsageError(f"give --keys FILE or --data FOLDER, one of the two; the file is made by {how}")
    if keys is not None:
        return read_keys(_text(keys))
    folder = data or Path()
    if not (folder / RECEIPT_KEY_FILE).is_file():
        raise ReceiptUnreadable(f"{folder / RECEIPT_KEY_FILE} is not there: this registry has given no receipt")
    return {"keys": receipt_keys(folder).jwks()}


def _require_same(receipt: Receipt, image: str, ic: Path | None) -> None:
    claimed = receipt.claims["image"]
    if image and image not in {claimed["pinned"], claimed["digest"]}:
        raise ReceiptWrong(f"the receipt is about {claimed['pinned']}, not about {image}")
    if ic is not None:
        digest = digest_of(without_secrets(parse(read_config(ic))))
        if digest != receipt.claims["deployment"]["configuration"]:
            raise ReceiptWrong(
                f"{ic} is not the configuration that the receipt is about: it was changed, or never pinned"
            )


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except OSError as error:
        raise ReceiptUnreadable(f"{file} cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise ReceiptUnreadable(f"{file} is no text: needs what deploy check has written") from None


def _words(claims: Mapping[str, Any]) -> str:
    ends = timestamp(claims["exp"])
    lines = (
        f"holds: {claims['sub']} may start from {claims['image']['pinned']}",
        f"  verdict {claims['verdict']}, policy {claims['policy'].get('name')} {claims['policy'].get('digest')}",
        f"  deployment {claims['jti']} in workspace {claims['deployment']['workspace']}, ends {ends}",
    )
    return "\n".join(visible(line) for line in lines)

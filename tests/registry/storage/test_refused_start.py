"""The one line of a start that cannot use its object store: which setting, what the store said, and what to do."""

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from registry.config.settings import RegistrySettings
from registry.config.sources import SettingsError, load
from registry.config.storage import StorageSettings
from registry.storage.objects.address import StoreUnusable, parse_store_url
from registry.storage.objects.connecting import connect, require_usable
from tests.ports import free_port

KEYS = "AWS_ACCESS_KEY_ID=key\nAWS_SECRET_ACCESS_KEY=secret\n"


@contextmanager
def answering(status: int, code: str, message: str) -> Iterator[str]:
    """A server that answers every request with one error of S3; its URL."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = f"<?xml version='1.0'?>\n<Error><Code>{code}</Code><Message>{message}</Message></Error>".encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def do_PUT(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self.do_GET()

        def log_message(self, *_words: object) -> None:
            return

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever).start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()


def said(folder: Path, endpoint: str, keys: str = KEYS) -> str:
    """What a start says of the store there."""
    (folder / "store.env").write_text(keys)
    wanted: dict[str, Any] = {"endpoint": endpoint, "credentials": folder / "store.env"}
    address = parse_store_url("s3://bucket/lab")
    with pytest.raises(StoreUnusable) as refusal:
        require_usable(address, connect(address, StorageSettings(**wanted)), endpoint)
    assert f"s3://bucket/lab at {endpoint}" in str(refusal.value)
    return str(refusal.value)


@pytest.mark.parametrize(
    ("status", "code", "words"),
    [
        (
            403,
            "InvalidAccessKeyId",
            "see AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY in the file of storage.credentials",
        ),
        (404, "XAdminUserNotFound", "its key may not read and write there"),
        (400, "AuthorizationHeaderMalformed", "see storage.region"),
        (404, "NoSuchBucket", "there is no such bucket: make it"),
        (400, "Odd", "see storage.endpoint"),
    ],
)
def test_an_answer_is_told(tmp_path: Path, status: int, code: str, words: str) -> None:
    """In the store's own words, whole, and by the setting that it speaks of."""
    with answering(status, code, "What is &#34;wrong&#34;\nhere.") as endpoint:
        line = said(tmp_path, endpoint)
    assert words in line
    assert line.endswith(f'{code}: What is "wrong" here')


def test_nobody_there_is_told(tmp_path: Path) -> None:
    """With what the system says of it."""
    line = said(tmp_path, f"http://127.0.0.1:{free_port()}")
    assert line.endswith("does not answer: Connection refused: see storage.endpoint, and that the store runs")


def test_https_where_there_is_none_is_told(tmp_path: Path) -> None:
    """It is not the store that is broken."""
    with answering(200, "", "") as endpoint:
        assert "it does not speak TLS (https://)" in said(tmp_path, endpoint.replace("http:", "https:"))


def test_no_key_is_told(tmp_path: Path) -> None:
    """Where none is named, and the machine has none either."""
    line = said(tmp_path, "http://127.0.0.1:9", f"AWS_METADATA_ENDPOINT=http://127.0.0.1:{free_port()}\n")
    assert "no key for it was found: needs AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY" in line


@pytest.mark.parametrize("name", ["endpoint", "redirect_endpoint"])
@pytest.mark.parametrize("value", ["127.0.0.1:9000", "s3.example.org", "ftp://s3.example.org", "http://", "http://a b"])
def test_an_endpoint_is_a_url(name: str, value: str) -> None:
    """As obstore panics otherwise."""
    with pytest.raises(SettingsError, match=re.escape(f"storage.{name}") + ".*needs http://HOST:PORT or https://"):
        load(RegistrySettings, None, {f"storage.{name}": value}, {})

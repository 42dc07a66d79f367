"""The bench runs: every flow in a fraction of a second, and results that must not be compared are not."""

import hashlib
import io
import json
import os
import re
import socket
import subprocess
import sys
import tarfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from itertools import product
from pathlib import Path

import pytest
from click.testing import CliRunner

from tests.bench import report
from tests.bench.__main__ import main
from tests.bench.basegate import BASEGATE, SERVERS
from tests.bench.figures import Figure
from tests.bench.flows import Job, put_manifest
from tests.bench.images import MANIFEST_TYPE, digest_of
from tests.bench.measures import cpu_at_rest, cpu_seconds, family
from tests.bench.payloads import Kind, diff_id, payload, unpacked
from tests.bench.results import Incomparable, Result, comparable, fingerprint, load
from tests.bench.rounds import Row, Sample, measure
from tests.bench.servers import Server
from tests.bench.starts import measure_starts
from tests.bench.wire import Connection
from tests.bench.workloads import ALONE, WORKLOADS, Workload
from tests.bench.zot import Zot, configuration

SAMPLE = ("push_streamed", "push_image_streamed", "ranges", "mixed", "pull_assorted")
IMAGE_PUSH = next(one for one in WORKLOADS if one.against == ALONE and one.flow == "push_image")
ACCEPT = f"Accept: {MANIFEST_TYPE}"
PULL_ONLY = next(one for one in WORKLOADS if one.door == "pull")

STAND_IN = """
import json, sys
from http.server import BaseHTTPRequestHandler, HTTPServer

class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

if sys.argv[1] == "--version":
    print('{"commit": "a stand-in", "binary-type": "minimal", "time": "now"}')
else:
    http = json.load(open(sys.argv[2]))["http"]
    HTTPServer((http["address"], int(http["port"])), Handler).serve_forever()
"""


def rows() -> list[Workload]:
    """One workload of each of these flows."""
    return [next(one for one in WORKLOADS if one.flow == flow).small() for flow in SAMPLE]


@pytest.mark.parametrize("workload", rows(), ids=SAMPLE)
def test_a_small_round_runs(workload: Workload, tmp_path: Path) -> None:
    """Server, load generator and figures work together."""
    row = measure(workload, [BASEGATE], 1, tmp_path)
    assert row.median("basegate", "rate") > 0
    assert row.ratio("basegate", "basegate") == 1


def test_small_requests_are_asked_by_16_and_64() -> None:
    """All that the table promises, whatever else it has."""
    flows = ("version", "get_manifest", "head_manifest", "put_manifest", "head_blob", "tags", "referrers", "catalog")
    asked = {(one.flow, one.clients) for one in WORKLOADS if one.door in {"open", "secret"}}
    assert set(product(flows, (16, 64))) <= asked


def test_two_trees_in_turns(tmp_path: Path) -> None:
    """Each row of both, and which cost more."""
    (tmp_path / ".venv").symlink_to(sys.prefix)
    for name in ("registry", "policy"):
        (tmp_path / name).symlink_to(Path(name).resolve())
    command = ["turns", "--before", str(tmp_path), "--rounds", "1", "--only", "GET /v2/ x16", "--small"]
    done = CliRunner().invoke(main, command, catch_exceptions=False)
    assert done.exit_code == 0
    assert re.search(r"^\| GET /v2/ x4 \| an operation, µs \|", done.output, re.MULTILINE)
    assert "of 1 rows within 1.05." in done.output


def test_a_row_may_take_several_turns(tmp_path: Path) -> None:
    """One that the disk unsettles is measured more often than the others."""
    row = measure(replace(WORKLOADS[0].small(), turns=2), [BASEGATE], 2, tmp_path)
    assert len(row.samples["basegate"]) == 4


def test_others_wait_measured_while_images_are_pushed(tmp_path: Path) -> None:
    """The row beside the registry alone: both push whole images, and manifest GETs go on meanwhile."""
    servers = [server for server in SERVERS if server.name in IMAGE_PUSH.servers]
    row = measure(IMAGE_PUSH.small(), servers, 1, tmp_path)
    assert set(row.samples) == {"basegate", ALONE}
    assert all(row.median(name, "waits") > 0 for name in row.samples)


def test_who_may_only_pull_gets_the_image(tmp_path: Path) -> None:
    """The gate clears the bench's image: a refusal would end the row."""
    assert measure(PULL_ONLY.small(), [BASEGATE], 1, tmp_path).median("basegate", "rate") > 0


def installed(*names: str) -> list[Server]:
    """Those of these servers that are here."""
    return [server for server in SERVERS if server.name in names and server.version()]


@pytest.mark.parametrize("server", installed("basegate", "distribution", "zot"), ids=lambda server: server.name)
def test_every_put_is_a_new_manifest(server: Server, tmp_path: Path) -> None:
    """All servers get the same work: each PUT of each round leaves a tag and a manifest that were not there."""
    running = server.start(tmp_path, "open")
    try:
        with Connection(running.target) as wire:
            for unique in ("round 0", "round 1"):
                for operation in put_manifest(wire, Job("put_manifest", running.target, 1, count=3, unique=unique), 0):
                    operation()
            tags = json.loads(wire.ask("GET", "/v2/bench/manifests/tags/list").body)["tags"]
            paths = [f"/v2/bench/manifests/manifests/{tag}" for tag in tags]
            found = {wire.ask("HEAD", path, ACCEPT).headers["docker-content-digest"] for path in paths}
    finally:
        running.stop()
    assert len(tags) == len(found) == 7


@pytest.mark.parametrize("kind", ["gzip", "zstd"])
def test_a_layer_is_a_real_archive(kind: Kind) -> None:
    """It unpacks, holds what a policy looks for, and has the diff_id that the configuration says."""
    made = payload(kind, 100_000, "one")
    packed = made.head + os.pread(made.tail, made.tail_size, 0)
    plain = unpacked(kind, packed)
    with tarfile.open(fileobj=io.BytesIO(plain)) as archive:
        assert "etc/os-release" in archive.getnames()
    assert diff_id(kind, 100_000, "one") == f"sha256:{hashlib.sha256(plain).hexdigest()}"
    assert made.digest == digest_of(packed)


def test_a_start_is_measured_twice(tmp_path: Path) -> None:
    """On an empty folder, and on what that start left."""
    found = measure_starts([BASEGATE], 1, tmp_path)
    assert len({one.name for one in found}) == 6
    assert all(one.value > 0 for one in found)


def test_much_is_asked_of_a_small_stock(tmp_path: Path) -> None:
    """The scale command fills, starts and asks; nothing it asks for is refused."""
    path = tmp_path / "result.json"
    sizes = "--repositories 120 --tags 600 --questions 3 --settle 0 --starts 1"
    done = CliRunner().invoke(main, f"scale {sizes} --folder {tmp_path} --save {path}")
    assert done.exit_code == 0, done.output
    assert "delete of a tag" in done.output
    assert "a policy is put into force" in done.output
    assert len(load(path).figures) > 30


def result() -> Result:
    """A made-up result of one workload and one figure."""
    sample = Sample(rate=2.0, p50=0.1, p99=0.2, cpu=3.0, peak=1 << 20, idle=1 << 20, cold=0.5, own_cpu=1.0)
    row = Row(WORKLOADS[0], {"basegate": [sample], "distribution": [replace(sample, rate=1.0, cpu=2.0)]})
    return Result(fingerprint(WORKLOADS[:1], [BASEGATE], 1), [row], [Figure("a wait", "basegate", 3, "ms", 2)])


def test_values_of_one_name_stand_side_by_side() -> None:
    """As those of a large store: a column a value, the goal behind them; the name of a value has its column."""
    figures = [Figure("a page", "basegate", 1, "ms", column="p50"), Figure("a page", "basegate", 9, "ms", 5, "p99")]
    text = report.markdown(Result(result().fingerprint, [], figures))
    assert "| measure | unit | p50 | p99 | goal |" in text
    assert "| a page | ms | 1.00 | 9.00 | < 5, missed |" in text
    assert "Missed: a page, p99: 9.00 ms, goal < 5" in text


def test_a_saved_result_is_shown_again(tmp_path: Path) -> None:
    """The same text that the run printed."""
    result().save(tmp_path / "a")
    assert CliRunner().invoke(main, ["show", str(tmp_path / "a")]).output == f"{report.markdown(result())}\n"


def test_a_report_says_which_goals_are_met() -> None:
    """Ratios, figures, and processor time above that of the reference."""
    text = report.markdown(result())
    assert "1 of 2 goals are met" in text
    assert "Missed: a wait: 3.00 ms, goal < 2" in text
    assert "Processor time not below that of distribution: push 256 MiB x1, 1.50 times." in text


def test_a_result_survives_a_file(tmp_path: Path) -> None:
    """What is saved is what is read."""
    saved = result()
    saved.save(tmp_path / "result.json")
    assert load(tmp_path / "result.json") == saved


@pytest.mark.parametrize("field", ["data", "machine", "settings"])
def test_unlike_results_are_not_compared(field: str) -> None:
    """Other data, another machine or other settings are named."""
    one = result()
    other = Result(replace(one.fingerprint, **{field: {"other": "one"}}), [])  # type: ignore[arg-type]
    with pytest.raises(Incomparable, match="Run both again"):
        comparable(one, other)


def test_like_results_are_compared(tmp_path: Path) -> None:
    """Two runs of the same thing: rows and figures side by side."""
    result().save(tmp_path / "a")
    done = CliRunner().invoke(main, ["compare", str(tmp_path / "a"), str(tmp_path / "a")])
    assert "| push 256 MiB x1 | 2 | 2 | 1.00 |" in done.output
    assert "| a wait, ms | 3.00 | 3.00 | 1.00 |" in done.output


def test_the_command_refuses_to_compare_unlike_results(tmp_path: Path) -> None:
    """With the reason, and a status that a script sees."""
    one = result()
    one.save(tmp_path / "a")
    Result(replace(one.fingerprint, data="other"), []).save(tmp_path / "b")
    done = CliRunner().invoke(main, ["compare", str(tmp_path / "a"), str(tmp_path / "b")])
    assert done.exit_code == 1
    assert "data set" in done.output


@pytest.mark.parametrize("arguments", [("run", "--small"), ("scale",)])
def test_no_result_of_other_data_is_overwritten(arguments: tuple[str, ...], tmp_path: Path) -> None:
    """A run that would be saved over another data set's result does not even begin."""
    path = tmp_path / "result.json"
    Result(replace(result().fingerprint, data="other"), []).save(path)
    before = path.read_bytes()
    done = CliRunner().invoke(main, [*arguments, "--save", str(path)])
    assert done.exit_code == 1
    assert "save it under another name" in done.output
    assert path.read_bytes() == before


def test_a_file_that_is_no_result_is_refused(tmp_path: Path) -> None:
    """Instead of a traceback."""
    (tmp_path / "a").write_text("{}")
    done = CliRunner().invoke(main, ["compare", str(tmp_path / "a"), str(tmp_path / "a")])
    assert done.exit_code == 1
    assert "is not a result" in done.output


def test_zot_gets_a_durable_store_without_side_work(tmp_path: Path) -> None:
    """What its settings file says, whether the program is here or not."""
    storage = configuration(tmp_path, 5000, "open")["storage"]
    assert storage == {"rootDirectory": str(tmp_path / "data"), "dedupe": False, "gc": False, "commit": True}


def test_zot_is_started_with_its_settings(tmp_path: Path) -> None:
    """A stand-in, whether a zot is installed or not: it is told to serve, and where."""
    program = tmp_path / "zot"
    program.write_text(f"#!{sys.executable}\n{STAND_IN}")
    program.chmod(0o755)
    zot = Zot(program=str(program))
    assert zot.version() == "a stand-in minimal"
    running = zot.start(tmp_path, "open")
    try:
        with Connection(running.target) as wire:
            assert wire.ask("GET", "/v2/").status == 200
    finally:
        running.stop()


def test_children_of_every_thread_are_counted() -> None:
    """A server's workers are children of the threads that look after them."""
    with ThreadPoolExecutor(1) as pool:
        child = pool.submit(subprocess.Popen, ["sleep", "60"]).result()
        try:
            assert child.pid in set(family(os.getpid()))
        finally:
            child.kill()
            child.wait()


def test_what_goes_on_behind_the_last_answer_is_counted() -> None:
    """A server's work is not over with its answers: it is waited for."""
    busy = "import time; time.sleep(0.05)\nwhile time.process_time() < 0.5: pass\ntime.sleep(60)"
    child = subprocess.Popen([sys.executable, "-c", busy])
    try:
        while cpu_seconds(child.pid) < 0.1:
            pass
        assert cpu_at_rest(child.pid, watched=1) >= 0.4
    finally:
        child.kill()
        child.wait()


def test_nothing_listens_afterwards(tmp_path: Path) -> None:
    """A server is ended with its row."""
    (tmp_path / "data").mkdir()
    running = BASEGATE.start(tmp_path, "open")
    running.stop()
    with pytest.raises(ConnectionRefusedError), socket.create_connection(("127.0.0.1", running.target.port)):
        pass

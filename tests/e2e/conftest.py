# SPDX-License-Identifier: Apache-2.0
"""What the end-to-end tests share: the programs, demo data, a trained bundle, a running daemon.

INFLUENCE_BUILD  the build directory (default: build)
INFLUENCED       the daemon, when it is to come from another build (a sanitizer's)
SHARED_DATA      the real data (default: ../shared/data); tests that ask for it skip without
"""

import fcntl
import json
import os
import re
import shutil
import signal
import ssl
import subprocess
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
BUILD = Path(os.environ.get("INFLUENCE_BUILD", ROOT / "build")).resolve()
INFLUENCE = BUILD / "src/cli/influence"
INFLUENCED = Path(os.environ.get("INFLUENCED", BUILD / "src/daemon/influenced"))
SHARED_DATA = Path(os.environ.get("SHARED_DATA", ROOT / "../shared/data")).resolve()
# Sanitizers cost time; a test that measures or loads may want to know.
SANITIZED = os.environ.get("INFLUENCE_SANITIZER", "")
DEMO_ROWS = 600


def pytest_collection_modifyitems(items):
    """`pytest -m daemon` selects what talks to a running daemon: the thread sanitizer's share."""
    for item in items:
        if {"daemon", "hand_daemon", "start_daemon"} & set(getattr(item, "fixturenames", ())):
            item.add_marker(pytest.mark.daemon)


def run_command(*args, check=True, timeout=300, **more):
    """Run `influence ARGS`; gives the finished process with text in stdout and stderr."""
    done = subprocess.run(
        [INFLUENCE, *map(str, args)], capture_output=True, text=True, errors="surrogateescape",
        timeout=timeout, check=False, **more,
    )
    if check and done.returncode != 0:
        pytest.fail(f"influence {' '.join(map(str, args))}: exit {done.returncode}\n{done.stderr}")
    return done


@pytest.fixture(scope="session")
def run():
    return run_command


@pytest.fixture(scope="session")
def shared_data():
    if not SHARED_DATA.is_dir():
        pytest.skip("no real data")
    return SHARED_DATA


def once(tmp_path_factory, name, make):
    """A directory made once for all parallel workers of this run."""
    base = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        base = base.parent
    directory = base / name
    with open(base / f"{name}.lock", "w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not directory.exists():
            unfinished = base / f"{name}.unfinished"
            unfinished.mkdir(exist_ok=True)
            make(unfinished)
            unfinished.rename(directory)
    return directory


@pytest.fixture(scope="session")
def demo(tmp_path_factory):
    """A directory with what `influence synth` makes."""
    return once(
        tmp_path_factory, "demo",
        lambda out: run_command("synth", "--rows", DEMO_ROWS, "--seed", 1, "--out", out),
    )


@pytest.fixture(scope="session")
def models(tmp_path_factory, demo):
    """A models directory with one bundle trained on the demo data; do not write to it."""
    return once(
        tmp_path_factory, "models",
        lambda out: run_command("train", *demo_files(demo), *QUICK_SEARCH, "--out", out, "--seed", 0),
    )


def write_table(path, rows):
    """A table of rows (dicts) as CSV."""
    names = list(rows[0])
    lines = [",".join(names)] + [",".join(str(row.get(name, "")) for name in names) for row in rows]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def spread(i, salt=0):
    """As good as random in 0..1, and the same everywhere."""
    return ((i + 1) * 2654435761 + salt * 40503) % 65521 / 65521


@pytest.fixture(scope="session")
def own_table(tmp_path_factory):
    """Accounts with columns of the file's own: mood, a trap that is computed, and one that is of use."""
    rows = []
    for i in range(160):
        followers, views = int(1000 * 2 ** (8 * spread(i))), int(100 * 2 ** (8 * spread(i, 1)))
        luck = 1 + 99 * spread(i, 2)
        rows.append({"handle": f"account_{i}", "followers": followers, "reach units": views,
                     "mood": ["glad", "calm", "cross"][i % 3], "odds": round(luck, 3),
                     "odds squared": round(luck * luck + 7, 3), "quality": round(followers / views * 3, 5),
                     "worth": round(20 * spread(i, 3) + (15 if i % 3 == 0 else 0), 2)})
    return write_table(tmp_path_factory.mktemp("own") / "own.csv", rows)


def demo_files(demo):
    """The demo tables as arguments of `influence train`: two months give growth."""
    return [f"{demo / 'snapshot-2025-06.csv'}@2025-06", f"{demo / 'profiles.csv'}@2025-09"]


# Enough of a search to have both families; how well models do is measured elsewhere.
QUICK_SEARCH = ["--search.repeats=1", "--search.folds=2", "--score.models=ridge boosting", "--tier.models=prior softmax",
                "--growth.models=ridge boosting"]


@pytest.fixture(scope="session")
def hand_models(tmp_path_factory):
    """A models directory with a hand-made bundle of 500 profiles, demo_0000 to demo_0499: for what
    does not depend on a training."""
    maker = BUILD / "tests/support/make-bundle"
    return once(
        tmp_path_factory, "hand-models", lambda out: subprocess.run([maker, out], check=True, timeout=60)
    )


@pytest.fixture(scope="session")
def bundle(models):
    return (models / "current").resolve()


def npm_install(folder, tmp_path_factory):
    """The packages of folder/package-lock.json, installed once, beside it; skips where they cannot be had."""
    if not shutil.which("npm"):
        pytest.skip("no npm: apt-get install npm")
    lock_file, done = folder / "package-lock.json", folder / "node_modules/.package-lock.json"
    # The workers of a run share the folder: one installs, the others wait.
    with open(tmp_path_factory.getbasetemp().parent / f"npm-{folder.name}.lock", "w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if done.exists() and done.stat().st_mtime >= lock_file.stat().st_mtime:
            return
        install = subprocess.run(
            ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"], cwd=folder,
            capture_output=True, text=True, timeout=180, check=False,
        )
        if install.returncode != 0:
            pytest.skip(f"npm could not fetch its packages: {install.stderr.strip()[:200]}")
        done.touch()


class Daemon:
    """A running influenced. `daemon.get("/score?handle=x")` gives (status, parsed body)."""

    def __init__(self, models, directory, *options, wait=True):
        self.directory = Path(directory)
        self.log_path = self.directory / "influenced.stderr"
        self.options = [f"--models.path={models}", "--server.listen=127.0.0.1:0", "--server.reload=on",
                        f"--log.path={self.directory / 'requests.db'}", *options]
        self.scheme = "https" if any(o.startswith("--access.tls_certificate=") for o in options) else "http"
        self.start(wait)

    def start(self, wait=True):
        """Also again, after the end: the log goes on."""
        self.log_start = len(self.log) if self.log_path.exists() else 0
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen(
                [INFLUENCED, *self.options], stdout=log, stderr=log, stdin=subprocess.DEVNULL,
                cwd=self.directory,
            )
        self.pid = self.process.pid
        self.port = None
        if wait:
            self.wait_until_ready()

    @property
    def log(self):
        return self.log_path.read_text(encoding="utf-8", errors="replace")

    @property
    def url(self):
        return f"{self.scheme}://127.0.0.1:{self.port}"

    def wait_until_ready(self, timeout=60):
        end = time.monotonic() + timeout
        while time.monotonic() < end:
            if self.process.poll() is not None:
                raise AssertionError(f"influenced ended with {self.process.returncode}:\n{self.log}")
            listening = re.findall(r"listening on \S*?:(\d+)\b", self.log[self.log_start:])
            if listening:
                self.port = int(listening[-1])
                if self.get("/-/ready")[0] == 200:
                    return
            time.sleep(0.02)
        raise AssertionError(f"influenced is not ready after {timeout} s:\n{self.log}")

    def request(self, method, path, body=None, headers=None, timeout=300):
        """(status, headers, bytes) of one request."""
        request = urllib.request.Request(self.url + path, data=body, method=method, headers=headers or {})
        try:
            # Certificates of tests are self-signed.
            context = ssl._create_unverified_context() if self.scheme == "https" else None
            with urllib.request.urlopen(request, timeout=timeout, context=context) as reply:
                return reply.status, reply.headers, reply.read()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.headers, error.read()

    def get(self, path):
        status, headers, body = self.request("GET", path)
        return status, parse(headers, body)

    def post(self, path, value):
        """value: what json.dumps takes, or bytes to be sent as they are."""
        body = value if isinstance(value, bytes) else json.dumps(value).encode()
        status, headers, answer = self.request("POST", path, body, {"Content-Type": "application/json"})
        return status, parse(headers, answer)

    def signal(self, number):
        self.process.send_signal(number)

    def stop(self, expect=0, timeout=60):
        """SIGTERM; the exit status must be right and a sanitizer silent."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            status = self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError(f"influenced does not stop on SIGTERM:\n{self.log}") from None
        assert "Sanitizer" not in self.log and "runtime error" not in self.log, self.log
        assert status == expect, f"exit {status}:\n{self.log}"

    def kill(self):
        self.process.kill()
        self.process.wait()


def parse(headers, body):
    if headers.get_content_type() == "application/json":
        return json.loads(body)
    return body.decode("utf-8", "replace")


@pytest.fixture
def start_daemon(tmp_path):
    """Start daemons of one's own: start_daemon(models, "--log.durability=off"). Those that still run
    at the end are stopped and must end well."""
    started = []

    def start(models, *options, wait=True):
        directory = tmp_path / f"daemon-{len(started)}"
        directory.mkdir()
        daemon = Daemon(models, directory, *options, wait=wait)
        started.append(daemon)
        return daemon

    yield start
    for daemon in started:
        if daemon.process.poll() is None:
            daemon.stop()


@pytest.fixture(scope="module")
def hand_daemon(hand_models, tmp_path_factory):
    """One daemon on the hand-made bundle for a whole test file."""
    daemon = Daemon(hand_models, tmp_path_factory.mktemp("daemon"))
    yield daemon
    daemon.stop()


@pytest.fixture(scope="module")
def daemon(models, tmp_path_factory):
    """One daemon on the demo bundle for a whole test file."""
    daemon = Daemon(models, tmp_path_factory.mktemp("daemon"))
    yield daemon
    daemon.stop()

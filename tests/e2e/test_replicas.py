# SPDX-License-Identifier: Apache-2.0
"""Three replicas behind HAProxy, by config/proxy/haproxy.cfg as it ships: one killed, a new bundle rolled out,
one view of their figures, one log."""

import http.client
import json
import re
import shutil
import signal
import socket
import sqlite3
import subprocess
import threading
import time
import urllib.parse
import urllib.request
from collections import Counter

import pytest

from conftest import ROOT, Daemon, run_command
from test_daemon_drift import ask_all, profiles_of, two_bundles
from test_daemon_log import metric

pytest_plugins = ["postgresql"]
N_REPLICAS = 3
N_CLIENTS = 6
CONFIG = ROOT / "config/proxy/haproxy.cfg"
READY = 'influenced_requests_total{route="/-/ready",status="200"}'


class Replica(Daemon):
    """A daemon on a loopback address of its own; it keeps its port."""

    def __init__(self, models, directory, address, *options):
        self.address = address
        directory.mkdir()
        super().__init__(models, directory, f"--server.listen={address}:0", *options)
        self.options.append(f"--server.listen={address}:{self.port}")

    @property
    def url(self):
        return f"http://{self.address}:{self.port}"

    def rows(self):
        """(request_id, input) of what was predicted, by its log."""
        with sqlite3.connect(self.directory / "requests.db") as db:
            return db.execute("SELECT request_id, input FROM request WHERE route = '/score'").fetchall()


@pytest.fixture
def start_replicas(tmp_path):
    started = []

    def start(models, *options):
        for i in range(N_REPLICAS):
            started.append(Replica(models, tmp_path / f"replica-{i}", f"127.0.0.{2 + i}", "--log.batch_ms=10", *options))
        return list(started)

    yield start
    for replica in started:
        if replica.process.poll() is None:
            replica.stop()


@pytest.fixture
def start_proxy(tmp_path):
    """start_proxy(replicas): the port of a HAProxy before them; change: a pair of texts to replace in its configuration."""
    program = shutil.which("haproxy", path="/usr/sbin:/usr/bin:/usr/local/sbin:/usr/local/bin")
    if not program:
        pytest.skip("no haproxy: apt-get install haproxy")
    started = []

    def start(replicas, change=None):
        text = CONFIG.read_text(encoding="utf-8")
        for replica in replicas:
            text, n = re.subn(rf"(server \w+) {re.escape(replica.address)}:8080\b", rf"\1 {replica.address}:{replica.port}", text)
            assert n == 1
        if change:
            assert change[0] in text
            text = text.replace(*change)
        listener = socket.create_server(("127.0.0.1", 0))
        text, n = re.subn(r"bind 127\.0\.0\.1:8443", f"bind fd@{listener.fileno()}", text)
        assert n == 1
        path = tmp_path / f"haproxy-{len(started)}.cfg"
        path.write_text(text, encoding="utf-8")
        port = listener.getsockname()[1]
        with open(tmp_path / f"haproxy-{len(started)}.log", "wb") as log:
            started.append(subprocess.Popen([program, "-db", "-f", path], stdout=log, stderr=log, pass_fds=[listener.fileno()]))
        listener.close()
        end = time.monotonic() + 30
        while time.monotonic() < end:
            assert started[-1].poll() is None, (tmp_path / f"haproxy-{len(started) - 1}.log").read_text()
            if Client(port, "warm", []).ask("demo_0000", 0).status == 200:
                return port
            time.sleep(0.05)
        raise AssertionError("HAProxy finds no replica")

    yield start
    for proxy in started:
        proxy.terminate()
        proxy.wait()


class Answer:
    def __init__(self, request_id, handle):
        self.request_id, self.handle, self.began = request_id, handle, time.monotonic()
        self.status, self.model = None, None


class Client:
    """Asks for its handles one after the other on a connection that is kept, in three ways that mean the same one."""

    def __init__(self, port, name, handles):
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        self.name, self.handles, self.answers = name, handles, []

    def ask(self, handle, i):
        answer = Answer(f"{self.name}-{i}", handle)
        headers = {"X-Request-Id": answer.request_id, "Content-Type": "application/json"}
        way = i // max(len(self.handles), 1) % 3
        try:
            if way == 0:
                self.connection.request("GET", f"/score?handle={handle}", None, headers)
            elif way == 1:
                self.connection.request("GET", f"/score?explain=true&handle=%40{handle.upper()}", None, headers)
            else:
                self.connection.request("POST", "/score", json.dumps({"followers": 1000 + i, "handle": handle}), headers)
            reply = self.connection.getresponse()
            body = json.loads(reply.read())
            answer.status, answer.model = reply.status, body.get("model")
            assert reply.status != 200 or reply.headers["X-Request-Id"] == answer.request_id
        except (OSError, http.client.HTTPException, json.JSONDecodeError) as error:
            answer.status = repr(error)
            self.connection.close()
        return answer

    def run(self, stops):
        i = 0
        while not stops.is_set():
            self.answers.append(self.ask(self.handles[i % len(self.handles)], i))
            i += 1
        self.connection.close()


class Load:
    """with Load(port, handles) as load: ...; load.answers behind it. Each handle is asked by two clients."""

    def __init__(self, port, handles):
        self.clients = [Client(port, f"client{i}", handles[i // 2::N_CLIENTS // 2]) for i in range(N_CLIENTS)]
        self.stops = threading.Event()

    def __enter__(self):
        self.threads = [threading.Thread(target=client.run, args=(self.stops,)) for client in self.clients]
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.stops.set()
        for thread in self.threads:
            thread.join()
        self.answers = [answer for client in self.clients for answer in client.answers]

    def wait_for(self, n):
        """Until n more answers have come to each client."""
        wanted = [len(client.answers) + n for client in self.clients]
        end = time.monotonic() + 60
        while any(len(client.answers) < n for client, n in zip(self.clients, wanted)):
            assert time.monotonic() < end
            time.sleep(0.01)

    def failed(self):
        return [a for a in self.answers if a.status != 200]

    def steps(self, versions):
        """How often one client saw the version of one handle go forth, and back."""
        forth, back = 0, 0
        for client in self.clients:
            last = {}
            for answer in client.answers:
                at = versions.index(answer.model)
                forth += at > last.get(answer.handle, at)
                back += at < last.get(answer.handle, at)
                last[answer.handle] = at
        return forth, back


def handles(n):
    return [f"demo_{i:04d}" for i in range(n)]


def test_a_killed_replica_takes_no_acknowledged_request_along(start_replicas, start_proxy, hand_models):
    replicas = start_replicas(hand_models, "--log.durability=acknowledged")
    with Load(start_proxy(replicas), handles(60)) as load:
        load.wait_for(50)
        killed = time.monotonic()
        replicas[1].kill()
        load.wait_for(100)
    for replica in (replicas[0], replicas[2]):
        replica.stop()
    logs = [[request_id for request_id, _ in replica.rows()] for replica in replicas]
    assert all(len(set(log)) == len(log) > 50 for log in logs)
    rows = Counter(request_id for log in logs for request_id in log)
    acknowledged = [a.request_id for a in load.answers if a.status == 200]
    assert not [i for i in acknowledged if rows[i] == 0]
    # Lost, or asked again though it was already in a log: at most what was in flight, one a client.
    assert len(load.failed()) <= N_CLIENTS, [a.status for a in load.failed()]
    assert all(a.began < killed + 0.1 for a in load.failed())
    assert sum(rows[i] > 1 for i in acknowledged) <= N_CLIENTS
    assert max(rows.values()) <= 2
    print(f"killed replica: {len(load.answers)} asked of three behind HAProxy, {len(load.failed())} of those in flight failed; "
          f"{len(acknowledged)} acknowledged, 0 without a row")


def roll_out(replicas, models, new, load):
    """Makes the new bundle current, and has one replica after the other take it."""
    load.wait_for(40)
    run_command("models", "promote", new, "--models", models)
    for replica in replicas:
        replica.signal(signal.SIGHUP)
        end = time.monotonic() + 30
        while replica.get("/score?handle=demo_0000")[1]["model"] != new:
            assert time.monotonic() < end
            time.sleep(0.01)
        load.wait_for(40)


def test_a_rollout_fails_nobody_and_no_handle_goes_back(start_replicas, start_proxy, tmp_path):
    models, old, new = two_bundles(tmp_path)
    run_command("models", "promote", old, "--models", models)
    replicas = start_replicas(models)
    with Load(start_proxy(replicas), handles(60)) as load:
        roll_out(replicas, models, new, load)
    assert not load.failed()
    print(f"rollout: {len(load.answers)} answered by three replicas that took a new model in turn, {len(load.failed())} lost")
    forth, back = load.steps([old, new])
    assert back == 0 and forth == 2 * 60
    # The other way, by a proxy that does not look at the handle: what is tested above is seen.
    with Load(start_proxy(replicas, ("balance hash var(txn.key),ltrim(@),lower", "balance roundrobin")), handles(60)) as load:
        roll_out(replicas, models, old, load)
    assert not load.failed()
    assert load.steps([new, old])[1] > 0


def test_one_handle_is_one_replicas_however_it_is_asked(start_replicas, start_proxy, hand_models):
    replicas = start_replicas(hand_models)
    with Load(start_proxy(replicas), handles(120)) as load:
        load.wait_for(3 * 40)
    assert not load.failed()
    for replica in replicas:
        replica.stop()
    of = {}
    asked = {a.request_id: a.handle for a in load.answers}
    for at, replica in enumerate(replicas):
        for request_id, _ in replica.rows():
            if request_id in asked:
                of.setdefault(asked[request_id], set()).add(at)
    assert len(of) == 120 and all(len(places) == 1 for places in of.values())
    shares = Counter(next(iter(places)) for places in of.values())
    assert all(20 <= shares[at] <= 60 for at in range(N_REPLICAS)), shares


def wait_until_asked(replica):
    """By HAProxy, whose second question comes after the first's answer."""
    asked = metric(replica, READY)
    end = time.monotonic() + 30
    while metric(replica, READY) < asked + 2:
        assert time.monotonic() < end
        time.sleep(0.05)


def test_a_restart_of_each_in_turn_fails_nobody(start_replicas, start_proxy, hand_models):
    replicas = start_replicas(hand_models)
    with Load(start_proxy(replicas), handles(60)) as load:
        for replica in replicas:
            load.wait_for(40)
            replica.stop()
            load.wait_for(40)
            replica.start()
            wait_until_asked(replica)
        load.wait_for(40)
    assert not load.failed(), Counter(a.status for a in load.failed())
    print(f"restart: {len(load.answers)} answered by three replicas that were restarted in turn, 0 lost")


def test_two_of_three_that_stop_at_once_fail_nobody(start_replicas, start_proxy, hand_models):
    replicas = start_replicas(hand_models)
    with Load(start_proxy(replicas), handles(60)) as load:
        for leaving in ((replicas[0], replicas[1]), (replicas[1], replicas[2]), (replicas[2], replicas[0])):
            load.wait_for(40)
            for replica in leaving:
                replica.signal(signal.SIGTERM)
            load.wait_for(40)
            for replica in leaving:
                replica.process.wait(60)
                replica.start()
                wait_until_asked(replica)
    assert not load.failed(), Counter(a.status for a in load.failed())


# ---- one view of the figures ----


def test_the_rules_hold_to_values_by_hand():
    promtool = shutil.which("promtool")
    if not promtool:
        pytest.skip("no promtool")
    for arguments in (["check", "config", "prometheus.yml"], ["check", "rules", "rules.yml", "alerts.yml"],
                      ["test", "rules", "rules.test.yml", "alerts.test.yml"]):
        done = subprocess.run([promtool, *arguments], cwd=ROOT / "docker", capture_output=True, text=True, check=False)
        assert done.returncode == 0 and "FAILED" not in done.stdout, done.stdout + done.stderr


@pytest.fixture
def start_prometheus(tmp_path):
    """start_prometheus(replicas): a function that gives {labels: value} of a query, of a Prometheus with the rules as they ship."""
    program = shutil.which("prometheus")
    if not program:
        pytest.skip("no prometheus")
    started = []

    def start(replicas):
        with socket.create_server(("127.0.0.1", 0)) as probe:
            port = probe.getsockname()[1]
        targets = json.dumps([f"{r.address}:{r.port}" for r in replicas])
        (tmp_path / "prometheus.yml").write_text(
            f"global: {{scrape_interval: 1s, evaluation_interval: 1s}}\n"
            f"rule_files: [{ROOT / 'docker/rules.yml'}, {ROOT / 'docker/alerts.yml'}]\n"
            f"scrape_configs:\n  - job_name: influenced\n    static_configs: [{{targets: {targets}}}]\n", encoding="utf-8")
        with open(tmp_path / "prometheus.log", "wb") as log:
            started.append(subprocess.Popen(
                [program, f"--config.file={tmp_path / 'prometheus.yml'}", f"--storage.tsdb.path={tmp_path / 'tsdb'}",
                 f"--web.listen-address=127.0.0.1:{port}"], stdout=log, stderr=log))

        def query(expression):
            url = f"http://127.0.0.1:{port}/api/v1/query?query={urllib.parse.quote(expression)}"
            try:
                with urllib.request.urlopen(url, timeout=10) as reply:
                    result = json.loads(reply.read())["data"]["result"]
            except OSError:
                return {}
            return {tuple(sorted((k, v) for k, v in r["metric"].items() if k in ("model", "feature", "version"))): float(r["value"][1])
                    for r in result}
        return query

    yield start
    for process in started:
        process.terminate()
        process.wait()


def test_prometheus_sees_the_drift_of_all_replicas_as_one_daemon_would(start_replicas, start_daemon, start_prometheus, models, demo):
    profiles = list(profiles_of(demo))
    # Each replica sees another kind of account; none of them sees what all of them see.
    profiles.sort(key=lambda p: float(p.get("followers") or 0))
    third = len(profiles) // 3
    alone = start_daemon(models)
    ask_all(alone, profiles)
    replicas = start_replicas(models)
    for i, replica in enumerate(replicas):
        ask_all(replica, profiles[i * third:(i + 1) * third if i < 2 else None])
    query = start_prometheus(replicas)
    rows = 'job_version_model_feature:influenced_drift_rows:sum{model="score",feature="score"}'
    # All are scraped, and then all rules have been evaluated once more: the last one bears a later time.
    end, scraped = time.monotonic() + 60, None
    last_rule = "timestamp(job_model_feature:influenced_drift_out_of_range:ratio)"
    while scraped is None or min(query(last_rule).values(), default=0) <= scraped:
        assert time.monotonic() < end, query(rows)
        if scraped is None and sum(query(rows).values()) == len(profiles):
            scraped = time.time()
        time.sleep(0.2)
    said = alone.get("/drift")[1]
    psi = query("job_version_model_feature:influenced_drift:psi")
    missing = query("job_model_feature:influenced_drift_missing:ratio")
    compared = 0
    for part in ("score", "tier"):
        for figures in [*said[part]["features"], said[part]["output"]]:
            labels = (("feature", figures["name"]), ("model", part))
            if figures["psi"] is not None:
                assert psi[(*labels, ("version", said["model"]))] == pytest.approx(figures["psi"], abs=1e-9)
                compared += 1
            assert missing[labels] == pytest.approx(figures["missing"], abs=1e-9)
    assert compared > 10
    # And each of them alone would have raised the alarm.
    own = [f for f in replicas[0].get("/drift")[1]["score"]["features"] if f["name"] == "ln_followers"][0]
    assert own["drift"] == "major" and psi[(("feature", "ln_followers"), ("model", "score"), ("version", said["model"]))] < 0.1


def test_figures_by_bin_can_be_left_out(start_daemon, models):
    assert "influenced_drift_bin" not in start_daemon(models, "--drift.bins=off").get("/metrics")[1]


# ---- one log ----

def test_the_logs_of_all_replicas_in_one_table_have_each_request_once(postgresql, start_replicas, start_proxy, hand_models):
    """Shipped while they are asked, one of them killed; shipping again adds nothing."""
    postgresql.sql("DROP TABLE IF EXISTS requests, influence_shipped")
    replicas = start_replicas(hand_models, "--log.durability=acknowledged")

    def ship():
        for replica in replicas:
            run_command("log", "ship", "--db", replica.directory / "requests.db", "--to", postgresql.uri, "--table", "requests")

    with Load(start_proxy(replicas), handles(60)) as load:
        load.wait_for(40)
        ship()
        replicas[2].kill()
        load.wait_for(40)
    for replica in replicas[:2]:
        replica.stop()
    ship()
    there = Counter(postgresql.sql("SELECT request_id FROM requests WHERE request_id LIKE 'client%'").splitlines())
    acknowledged = {a.request_id for a in load.answers if a.status == 200}
    assert acknowledged <= set(there)
    here = Counter(i for replica in replicas for i, _ in replica.rows() if i.startswith("client"))
    assert there == here
    twice = [i for i, n in there.items() if n > 1]
    assert len(twice) <= N_CLIENTS
    distinct = "SELECT count(*) FROM (SELECT DISTINCT ON (request_id) * FROM requests WHERE request_id LIKE 'client%' ORDER BY request_id, time DESC) one"
    assert int(postgresql.sql(distinct)) == len(there)
    assert postgresql.sql("SELECT count(DISTINCT origin) FROM requests") == str(N_REPLICAS)
    before = postgresql.sql("SELECT count(*) FROM requests")
    ship()
    assert postgresql.sql("SELECT count(*) FROM requests") == before

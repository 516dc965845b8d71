# SPDX-License-Identifier: Apache-2.0
"""What an operator does: configure, check, start, scrape, reload, stop."""

import functools
import getpass
import json
import os
import pwd
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time
from pathlib import Path

import pytest

from conftest import BUILD, INFLUENCE, INFLUENCED, ROOT
from test_daemon_log import BODY, finish, load, metric


def influenced(*args, program=INFLUENCED, **more):
    environment = {k: v for k, v in os.environ.items() if not k.startswith("INFLUENCED_")}
    return subprocess.run(
        [program, *map(str, args)], capture_output=True, text=True, timeout=60, check=False,
        env=environment | more.pop("env", {}), **more,
    )


# ---- configuration ----

def test_the_documented_file_is_what_the_table_says():
    path = ROOT / "config/influenced.conf"
    assert path.read_text(encoding="utf-8") == influenced("--print-config").stdout
    # And it can be read.
    done = influenced("--config", path, "--print-config")
    assert (done.returncode, done.stderr) == (0, "") and done.stdout == path.read_text(encoding="utf-8")


def test_the_file_is_read_and_the_environment_and_the_command_line_win(tmp_path):
    path = tmp_path / "influenced.conf"
    path.write_text("[server]\nthreads = 3\nmax_body_bytes = 5000\nidle_timeout_ms = 700\n")
    done = influenced(
        "--config", path, "--server.threads=5", "--print-config",
        env={"INFLUENCED_SERVER_THREADS": "4", "INFLUENCED_SERVER_MAX_BODY_BYTES": "6000"},
    )
    assert done.returncode == 0
    assert {"threads = 5", "max_body_bytes = 6000", "idle_timeout_ms = 700"} <= set(done.stdout.splitlines())


@pytest.mark.parametrize("text, said", [
    ("[server]\nthread = 3\n", r":2: server\.thread: unknown key; did you mean server\.threads\?"),
    ("[server]\n\nthreads = 99\n", r":3: server\.threads: must be a whole number between 0 and 64"),
    ("[log]\ndurability = maybe\n", r":2: log\.durability: must be one of off\|batched\|acknowledged"),
])
def test_a_bad_line_is_named(tmp_path, text, said):
    path = tmp_path / "influenced.conf"
    path.write_text(text)
    done = influenced("--config", path, "--print-config")
    assert done.returncode == 2 and done.stdout == ""
    assert re.search(said, done.stderr), done.stderr


@pytest.mark.parametrize("word", ["--server.thread=3", "--frobnicate", "x", "--config", "--server.threads=x"])
def test_a_bad_option_is_a_usage_error(word):
    done = influenced(word)
    assert done.returncode == 2 and done.stdout == "" and done.stderr.startswith("influenced: ")


def test_help_and_version():
    assert "--server.listen=127.0.0.1:8080" in influenced("--help").stdout
    assert re.fullmatch(r"influenced \d+\.\d+\.\d+\n", influenced("--version").stdout)


# ---- starting ----

def test_a_taken_port_is_told(hand_models, hand_daemon, tmp_path):
    done = influenced(
        f"--models.path={hand_models}", f"--server.listen=127.0.0.1:{hand_daemon.port}", "--log.durability=off"
    )
    assert done.returncode == 1
    assert f"127.0.0.1:{hand_daemon.port} is taken" in done.stderr


def test_no_bundle_is_told(tmp_path):
    done = influenced(f"--models.path={tmp_path / 'none'}", "--server.listen=127.0.0.1:0", cwd=tmp_path)
    assert done.returncode == 1
    assert "influence train" in done.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("address", ["8080", "127.0.0.1", "127.0.0.1:99999", "nowhere:80", "127.0.0.1:-1"])
def test_a_bad_address_is_told(hand_models, address):
    done = influenced(f"--models.path={hand_models}", f"--server.listen={address}", "--log.durability=off")
    assert done.returncode == 1 and "server.listen" in done.stderr


def test_check_looks_at_everything_and_starts_nothing(hand_models, hand_daemon, tmp_path):
    done = influenced("--check", f"--models.path={hand_models}", "--server.listen=127.0.0.1:0", cwd=tmp_path)
    assert done.returncode == 0 and "500 profiles" in done.stdout
    done = influenced(
        "--check", f"--models.path={hand_models}", f"--server.listen=127.0.0.1:{hand_daemon.port}", cwd=tmp_path
    )
    assert done.returncode == 0 and "address        warning" in done.stdout and "restart" in done.stdout
    with socket.create_server(("127.0.0.1", 0)) as other:
        other.listen()
        done = influenced("--check", f"--models.path={hand_models}",
                          f"--server.listen=127.0.0.1:{other.getsockname()[1]}", cwd=tmp_path)
    assert done.returncode == 1 and "taken by another program" in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_it_listens_on_ipv6(start_daemon, hand_models):
    try:
        with socket.socket(socket.AF_INET6) as probe:
            probe.bind(("::1", 0))
    except OSError:
        pytest.skip("no IPv6")
    daemon = start_daemon(hand_models, "--server.listen=[::1]:0", wait=False)
    for _ in range(200):
        found = re.search(r"listening on http://\[::1\]:(\d+)", daemon.log)
        if found:
            break
        time.sleep(0.05)
    with socket.create_connection(("::1", int(found[1]))) as client:
        client.sendall(b"GET /-/healthy HTTP/1.1\r\nHost: [::1]\r\n\r\n")
        assert client.recv(100).startswith(b"HTTP/1.1 200")


# ---- figures ----

def test_promtool_has_nothing_to_say(hand_daemon):
    promtool = shutil.which("promtool")
    if not promtool:
        pytest.skip("no promtool")
    for route in ("/score", "/tier", "/cluster", "/similar"):
        hand_daemon.get(f"{route}?handle=demo_0001")
    hand_daemon.get("/nope")
    text = hand_daemon.get("/metrics")[1]
    done = subprocess.run([promtool, "check", "metrics"], input=text, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_requests_are_counted_by_route_and_status(start_daemon, hand_models):
    daemon = start_daemon(hand_models)
    for _ in range(3):
        daemon.post("/score", {"followers": 5000, "posts": 10})
    daemon.post("/score", b"{")
    daemon.get("/tier?handle=demo_0001")
    daemon.get("/cluster?handle=demo_0001")
    requests = "influenced_requests_total"
    assert metric(daemon, requests + '{route="/score",status="200"}') == 3
    assert metric(daemon, requests + '{route="/score",status="400"}') == 1
    duration = "influenced_request_duration_seconds"
    assert metric(daemon, duration + '_count{route="/score"}') == 4
    assert metric(daemon, duration + '_bucket{route="/score",le="+Inf"}') == 4
    assert metric(daemon, "influenced_score_points_count") == 3
    assert metric(daemon, "influenced_tier_predictions_total") == 1
    assert metric(daemon, "influenced_cluster_predictions_total") == 1
    assert metric(daemon, "influenced_requests_in_flight") == 1
    assert metric(daemon, "influenced_ready") == 1
    assert metric(daemon, "process_resident_memory_bytes") > 1e6


def test_buckets_do_not_fall(hand_daemon):
    hand_daemon.get("/metrics")  # a route has figures from its first answer on
    text = hand_daemon.get("/metrics")[1]
    counts = [
        int(line.split()[-1]) for line in text.splitlines()
        if line.startswith('influenced_request_duration_seconds_bucket{route="/metrics"')
    ]
    assert len(counts) > 10 and counts == sorted(counts)


# ---- the model ----

def new_bundle(models, seed):
    done = subprocess.run(
        [BUILD / "tests/support/make-bundle", models, str(seed)], check=True, capture_output=True, text=True
    )
    return done.stdout.strip()


@pytest.fixture
def own_models(tmp_path):
    models = tmp_path / "models"
    models.mkdir()
    new_bundle(models, 0)
    return models


def wait_for_model(daemon, version):
    for _ in range(100):
        if daemon.get("/-/ready")[1]["model"] == version:
            return
        time.sleep(0.05)
    raise AssertionError(daemon.log)


def wait_for_log(daemon, text, times):
    for _ in range(600):
        if daemon.log.count(text) >= times:
            return
        time.sleep(0.1)
    raise AssertionError(daemon.log)


def test_sighup_and_reload_bring_the_current_bundle(start_daemon, own_models):
    daemon = start_daemon(own_models)
    version = new_bundle(own_models, 1)
    daemon.signal(signal.SIGHUP)
    wait_for_model(daemon, version)
    version = new_bundle(own_models, 2)
    assert daemon.request("POST", "/-/reload")[0] == 200
    assert daemon.get("/-/ready")[1]["model"] == version
    assert metric(daemon, 'influenced_reloads_total{outcome="ok"}') == 3


def test_a_reload_that_fails_keeps_the_old_model_and_says_why(start_daemon, own_models):
    daemon = start_daemon(own_models)
    before = daemon.get("/score?handle=demo_0001")
    version = new_bundle(own_models, 1)
    blob = own_models / version / "tier.blob"
    blob.write_bytes(blob.read_bytes()[:-1])
    status, _, answer = daemon.request("POST", "/-/reload")
    assert status == 500 and b"tier.blob" in answer
    daemon.signal(signal.SIGHUP)
    for _ in range(100):
        if metric(daemon, 'influenced_reloads_total{outcome="failed"}') == 2:
            break
        time.sleep(0.05)
    assert "tier.blob" in daemon.log
    assert daemon.get("/score?handle=demo_0001") == before


def test_no_request_is_lost_while_models_change(start_daemon, own_models):
    daemon = start_daemon(own_models)
    versions = [new_bundle(own_models, seed) for seed in (1, 2)]
    loads = load(daemon, 4)
    for n in range(40):
        current = own_models / "next"
        current.symlink_to(versions[n % 2])
        current.rename(own_models / "current")
        if n % 2:
            daemon.signal(signal.SIGHUP)
        else:
            assert daemon.request("POST", "/-/reload")[0] == 200
        time.sleep(0.02)
    assert all(one.is_alive() for one in loads)
    assert metric(daemon, 'influenced_reloads_total{outcome="failed"}') == 0, daemon.log
    daemon.stop()
    answers = finish(loads)
    assert answers > 100
    print(f"reload: {answers} answered while the model changed 40 times, 0 lost")


def test_many_reloads_at_once_are_all_answered(start_daemon, own_models):
    daemon = start_daemon(own_models)
    statuses = []
    threads = [
        threading.Thread(target=lambda: statuses.append(daemon.request("POST", "/-/reload")[0])) for _ in range(20)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert statuses == [200] * 20


# ---- stopping ----

def test_sigterm_finishes_what_was_begun(start_daemon, hand_models):
    daemon = start_daemon(hand_models, "--server.threads=1")
    with socket.create_connection(("127.0.0.1", daemon.port)) as client:
        head = f"POST /score HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: {len(BODY)}\r\n\r\n"
        client.sendall(head.encode() + BODY[:10].encode())
        time.sleep(0.3)
        daemon.signal(signal.SIGTERM)
        time.sleep(0.3)
        with pytest.raises(OSError), socket.create_connection(("127.0.0.1", daemon.port), timeout=1):
            pass
        client.sendall(BODY[10:].encode())
        reply = client.recv(10000)
        assert reply.startswith(b"HTTP/1.1 200") and b"Connection: close" in reply
    assert daemon.process.wait(10) == 0


def test_what_does_not_finish_is_cut_off_after_the_drain(start_daemon, hand_models):
    daemon = start_daemon(hand_models, "--server.drain_timeout_ms=500")
    with socket.create_connection(("127.0.0.1", daemon.port)) as client:
        client.sendall(b"POST /score HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{")
        time.sleep(0.2)
        start = time.monotonic()
        daemon.stop()
        assert 0.3 < time.monotonic() - start < 5


def test_an_idle_connection_does_not_hold_the_end_up(start_daemon, hand_models):
    daemon = start_daemon(hand_models)
    with socket.create_connection(("127.0.0.1", daemon.port)):
        start = time.monotonic()
        daemon.stop()
        assert time.monotonic() - start < 3


# ---- versions ----

def reload(daemon, body=b""):
    status, headers, answer = daemon.request("POST", "/-/reload", body)
    return status, json.loads(answer)


def test_a_version_is_taken_by_name_and_current_comes_back(start_daemon, own_models):
    first = (own_models / "current").readlink().name
    second = new_bundle(own_models, 1)
    daemon = start_daemon(own_models)
    assert reload(daemon, json.dumps({"version": first}).encode()) == (200, {"reloaded": True, "model": first})
    assert (own_models / "current").readlink().name == second
    listed = {m["version"]: m for m in daemon.get("/-/models")[1]["models"]}
    assert listed[first]["roles"] == ["main"] and listed[second]["roles"] == []
    assert listed[second]["current"] and listed[first]["previous"]
    assert reload(daemon)[1]["model"] == second
    assert reload(daemon, b'{"version": "previous"}')[1]["model"] == first
    status, answer = reload(daemon, b'{"version": "20000101"}')
    assert (status, answer["error"]["field"]) == (404, "version")
    for body, status in ((b'{"versoin": "x"}', 422), (b"{", 422), (b"[]", 422), (b'{"version": 3}', 422),
                         (b'{"version": "../models"}', 404)):
        assert reload(daemon, body)[0] == status, body
    assert daemon.get("/-/ready")[1]["model"] == first
    assert daemon.get("/-/models")[1]["last_failure"]["message"].endswith("no bundle '../models'")


def test_a_bundle_that_answers_otherwise_than_at_its_training_is_refused(start_daemon, own_models, run):
    daemon = start_daemon(own_models)
    before = daemon.get("/-/ready")[1]["model"]
    version = new_bundle(own_models, 1)
    path = own_models / version / "parity.json"
    vectors = json.loads(path.read_text())
    vectors["cases"][2]["tier"] = "giga"
    path.write_text(json.dumps(vectors))
    manifest_path = own_models / version / "manifest.json"
    manifest = json.loads(manifest_path.read_text())
    files = {file["name"]: file for file in manifest["files"]}
    files["parity.json"]["bytes"] = path.stat().st_size
    manifest_path.write_text(json.dumps(manifest))
    status, answer = reload(daemon)
    assert (status, answer["error"]["code"]) == (500, "reload_failed")
    assert "parity.json: vector 3: tier is " in answer["error"]["message"]
    assert daemon.get("/-/ready")[1]["model"] == before
    assert metric(daemon, 'influenced_load_failures_total{reason="corrupt"}') == 1
    assert "vector 3: tier is" in daemon.get("/-/models")[1]["last_failure"]["message"]
    assert "vector 3: tier is" in daemon.log
    # Nor does it start on such a bundle.
    other = start_daemon(own_models, wait=False)
    assert other.process.wait(30) == 1 and "vector 3: tier is" in other.log
    # Bundles of earlier versions have no vectors.
    path.unlink()
    manifest["files"].remove(files["parity.json"])
    manifest_path.write_text(json.dumps(manifest))
    assert reload(daemon) == (200, {"reloaded": True, "model": version})


def test_a_canary_answers_its_share_and_the_same_question_alike(start_daemon, own_models):
    main = (own_models / "current").readlink().name
    canary = new_bundle(own_models, 1)
    subprocess.run([INFLUENCE, "models", "rollback", "--models", own_models], check=True, capture_output=True)
    daemon = start_daemon(own_models, "--models.canary=" + canary[:-1], "--models.canary_share=0.25")
    seen = {}
    for _ in range(2):
        for i in range(200):
            model = daemon.get(f"/score?handle=demo_{i:04d}")[1]["model"]
            assert seen.setdefault(i, model) == model
    n = sum(model == canary for model in seen.values())
    assert 25 <= n <= 75 and set(seen.values()) == {main, canary}
    assert metric(daemon, 'influenced_canary_requests_total{outcome="ok"}') == 2 * n
    assert metric(daemon, f'influenced_role_info{{role="canary",version="{canary}"}}') == 1
    # By client: all of it or nothing, since we are one client.
    daemon = start_daemon(own_models, "--models.canary=" + canary, "--models.canary_share=0.5",
                          "--models.canary_by=client")
    assert len({daemon.get(f"/score?handle=demo_{i:04d}")[1]["model"] for i in range(20)}) == 1


def test_a_canary_that_cannot_be_had_leaves_the_main_model_alone(start_daemon, own_models):
    daemon = start_daemon(own_models, "--models.canary=20000101", "--models.canary_share=0.5")
    assert daemon.get("/score?handle=demo_0001")[0] == 200
    assert metric(daemon, 'influenced_load_failures_total{reason="not_found"}') == 1
    assert "canary model: " in daemon.log


def test_a_canary_whose_bundle_is_gone_answers_no_more(start_daemon, own_models):
    """Who erases an account takes away the bundles that know it, and is not to meet it in one that is still mapped."""
    main = (own_models / "current").readlink().name
    canary = new_bundle(own_models, 1)
    subprocess.run([INFLUENCE, "models", "rollback", "--models", own_models], check=True, capture_output=True)
    daemon = start_daemon(own_models, f"--models.canary={canary}", "--models.canary_share=1", f"--models.shadow={canary}")
    assert daemon.get("/score?handle=demo_0001")[1]["model"] == canary
    damaged = own_models / canary / "score.blob"
    damaged.rename(own_models / canary / "away")
    damaged.write_bytes(b"damaged")
    daemon.signal(signal.SIGHUP)
    wait_for_log(daemon, "the one before stays", 2)
    assert daemon.get("/score?handle=demo_0001")[1]["model"] == canary
    subprocess.run([INFLUENCE, "models", "erase", canary, "--models", own_models], check=True, capture_output=True)
    daemon.signal(signal.SIGHUP)
    wait_for_log(daemon, "it answers no more", 2)
    assert daemon.get("/score?handle=demo_0001")[1]["model"] == main
    assert f'version="{canary}"' not in daemon.get("/metrics")[1]
    daemon.signal(signal.SIGHUP)
    wait_for_log(daemon, "there is none", 2)


# ---- under a service manager ----

def test_check_tells_what_to_do(hand_models, tmp_path):
    done = influenced("--check", "--models.path=nowhere", "--log.path=/etc/hostname/x.db", "--server.listen=0.0.0.0:0",
                      "--server.max_connections=1000000", "--server.max_header_bytes=1048576", cwd=tmp_path)
    lines = {line.split()[0]: line for line in done.stdout.splitlines()}
    assert done.returncode == 1 and "influence train" in done.stderr
    assert "FAILED" in lines["bundle"] and "influence train" in lines["bundle"]
    assert "FAILED" in lines["log"] and "choose another" in lines["log"]
    assert "warning" in lines["access"] and "access.tokens" in lines["access"]
    assert "warning" in lines["memory"] and "lower" in lines["memory"]
    assert " ok" in lines["address"] and list(tmp_path.iterdir()) == []
    done = influenced("--check", f"--models.path={hand_models}", "--models.canary=20000101", "--server.listen=127.0.0.1:0",
                      cwd=tmp_path)
    assert done.returncode == 0 and "canary         warning" in done.stdout
    done = influenced("--check", f"--models.path={hand_models}", f"--models.shadow={hand_models}", "--server.listen=127.0.0.1:0",
                      cwd=tmp_path)
    assert done.returncode == 0 and "shadow         warning" in done.stdout and "itself" in done.stdout


def test_check_names_files_as_whoever_reads_it_finds_them(hand_models, tmp_path, monkeypatch):
    (tmp_path / "daemon.conf").write_text("[log]\npath = run/requests.db\n")
    monkeypatch.setenv("TMPDIR", str(tmp_path / "missing"))
    done = influenced("--check", "--config", "daemon.conf", f"--models.path={os.path.relpath(hand_models, tmp_path)}",
                      "--server.listen=127.0.0.1:0", cwd=tmp_path)
    lines = {line.split()[0]: line for line in done.stdout.splitlines()}
    assert done.returncode == 0
    assert f"ok: {tmp_path}/daemon.conf, " in lines["configuration"]
    assert f"relative paths are meant from {tmp_path}" in lines["user"] and getpass.getuser() in lines["user"]
    assert f"ok: {tmp_path}/run/requests.db, " in lines["log"]
    assert f", in {tmp_path}/" in lines["bundle"]
    assert f"warning: {tmp_path}/missing cannot be written" in lines["long"]
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    most = influenced("--check", f"--models.path={hand_models}", "--server.listen=127.0.0.1:0", "--server.max_spool_bytes=1000000000000000",
                      cwd=tmp_path).stdout
    assert f"long replies   warning: {tmp_path}, " in most and "lower server.max_spool_bytes" in most


def test_check_is_of_the_user_who_runs_it(hand_models, tmp_path):
    """A key that root left behind keeps the daemon's user from starting, and its check says so."""
    if os.geteuid() != 0:
        pytest.skip("needs root")
    nobody = pwd.getpwnam("nobody")
    place = Path(tempfile.mkdtemp(prefix="influence-check-"))  # tmp_path is root's alone
    try:
        shutil.copytree(hand_models, place / "models", symlinks=True)
        (place / "run").mkdir()
        key = place / "run/requests.db.key"
        key.write_bytes(b"k" * 32)
        key.chmod(0o600)
        subprocess.run(["chmod", "-R", "a+rX", place / "models", place], check=True)
        key.chmod(0o600)
        os.chown(place / "run", nobody.pw_uid, nobody.pw_gid)
        program = shutil.copy(INFLUENCED, place)  # nor may others read every checkout
        check = functools.partial(influenced, "--check", "--server.listen=127.0.0.1:0", program=program, cwd=place,
                                  user="nobody", group=nobody.pw_gid, extra_groups=[])
        denied = check()
        assert denied.returncode == 1 and f"{place}/run/requests.db.key cannot be written: Permission denied" in denied.stderr
        assert "user           ok: nobody; " in denied.stdout
        os.chown(key, nobody.pw_uid, nobody.pw_gid)
        fit = check()
        assert (fit.returncode, fit.stderr) == (0, "")
    finally:
        shutil.rmtree(place)


def test_health_is_asked_by_the_program_itself(start_daemon, hand_models):
    daemon = start_daemon(hand_models)
    assert influenced("--health", f"--server.listen=0.0.0.0:{daemon.port}").returncode == 0
    daemon.stop()
    done = influenced("--health", f"--server.listen=127.0.0.1:{daemon.port}")
    assert done.returncode == 1 and "refused" in done.stderr


def test_closed_streams_are_no_place_for_its_own_files(hand_models, tmp_path):
    """What the log says would go into them."""
    words = [INFLUENCED, f"--models.path={hand_models}", "--server.listen=127.0.0.1:0", f"--log.path={tmp_path}/requests.db"]
    with subprocess.Popen(["sh", "-c", 'exec "$@" <&- >&- 2>&-', "sh", *words]) as process:
        end = time.monotonic() + 60
        while len(os.listdir(f"/proc/{process.pid}/fd")) < 8:
            assert process.poll() is None and time.monotonic() < end
            time.sleep(0.05)
        assert [os.readlink(f"/proc/{process.pid}/fd/{fd}") for fd in range(3)] == ["/dev/null"] * 3
        process.terminate()
        assert process.wait(60) == 0


@pytest.mark.parametrize("file, bytes_left", [("parity.json", None), ("parity.json", 10), ("manifest.json", 0), ("manifest.json", 300)])
def test_what_was_copied_by_half_is_not_served(hand_models, start_daemon, tmp_path, file, bytes_left):
    models = tmp_path / "models"
    shutil.copytree(hand_models, models, symlinks=True)
    daemon = start_daemon(models)
    before = os.readlink(models / "current")
    half = "20270101" + before[8:]
    shutil.copytree(models / before, models / half)
    if bytes_left is None:
        (models / half / file).unlink()
    else:
        os.truncate(models / half / file, bytes_left)
    (models / "current").unlink()
    (models / "current").symlink_to(half)
    status, answer = daemon.post("/-/reload", b"")
    said = file if file == "parity.json" else "manifest"
    assert status == 500 and said in answer["error"]["message"], answer
    assert daemon.get("/-/ready")[1]["model"] == before


@pytest.mark.parametrize("abstract", [False, True])
def test_the_service_manager_is_told(hand_models, tmp_path, abstract):
    name = f"\0influenced-{os.getpid()}" if abstract else str(tmp_path / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notify:
        notify.bind(name)
        notify.settimeout(20)
        process = subprocess.Popen(
            [INFLUENCED, f"--models.path={hand_models}", "--server.listen=127.0.0.1:0", "--log.durability=off"],
            env=os.environ | {"NOTIFY_SOCKET": name.replace("\0", "@"), "WATCHDOG_USEC": "400000"},
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        assert notify.recv(100) == b"READY=1"
        assert notify.recv(100) == b"WATCHDOG=1" and notify.recv(100) == b"WATCHDOG=1"
        process.send_signal(signal.SIGHUP)
        said = b""
        while not said.startswith(b"RELOADING=1\nMONOTONIC_USEC="):
            said = notify.recv(100)
        while said != b"READY=1":
            said = notify.recv(100)
        process.send_signal(signal.SIGTERM)
        while said != b"STOPPING=1":
            said = notify.recv(100)
        assert process.wait(30) == 0


def test_a_socket_that_the_manager_opened_outlives_the_daemon(hand_models, tmp_path):
    """systemd's socket activation: who connects while no daemon runs is served by the next one."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(16)
        port = listener.getsockname()[1]
        inherit = (  # the child takes the socket as descriptor 3 and says that it is meant
            f"import os\nos.dup2({listener.fileno()}, 3, inheritable=True)\n"
            f"os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS='1')\n"
            f"os.execv({str(INFLUENCED)!r}, ['influenced', '--models.path={hand_models}', '--log.durability=off'])\n"
        )
        for _ in range(2):
            client = socket.create_connection(("127.0.0.1", port))
            client.sendall(b"GET /-/ready HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
            process = subprocess.Popen(["/usr/bin/python3", "-c", inherit], cwd=tmp_path,
                                       pass_fds=[listener.fileno()], stdout=subprocess.DEVNULL,
                                       stderr=subprocess.DEVNULL)
            client.settimeout(30)
            assert client.recv(100).startswith(b"HTTP/1.1 200")
            client.close()
            process.send_signal(signal.SIGTERM)
            assert process.wait(30) == 0


def test_replicas_on_one_volume_keep_their_logs_apart(start_daemon, hand_models, tmp_path):
    daemon = start_daemon(hand_models, f"--log.path={tmp_path}/log-%h.db")
    daemon.stop()
    assert (tmp_path / f"log-{socket.gethostname()}.db").exists()

# SPDX-License-Identifier: Apache-2.0
"""influence fetch against a server that behaves like Kaggle's, on good days and on bad ones."""

import csv
import gzip
import hashlib
import io
import json
import os
import random
import signal
import ssl
import subprocess
import tarfile
import time
import zipfile

import pytest

from conftest import INFLUENCE
from kaggle_server import Announce, Cut, Drip, KaggleServer, NoRange, OtherRange, Stall, Status, basic

CSV = b"handle,followers\n" + b"".join(b"invented_%05d,%d\n" % (i, 1000 + 7 * i) for i in range(20000))


def zip_of(files, **options):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, **options) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return out.getvalue()


def tar_of(files, mode="w:gz"):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode=mode) as archive:
        for name, data in files.items():
            if isinstance(data, tarfile.TarInfo):
                archive.addfile(data)
                continue
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return out.getvalue()


ZIP = zip_of({"tables/accounts.csv": CSV, "read me.md": b"# invented\n"})


@pytest.fixture
def server():
    with KaggleServer() as server:
        yield server


@pytest.fixture
def fetch(server, tmp_path):
    """Run `influence fetch` with a data folder, a home without credentials and no waiting."""
    def run(name="kaggle:alice/tables", *options, status=0, env=None, popen=False):
        home = tmp_path / "home"
        home.mkdir(exist_ok=True)
        environment = {key: value for key, value in os.environ.items() if not key.startswith("KAGGLE")}
        environment |= {"HOME": str(home), **(env or {})}
        command = [INFLUENCE, "fetch", name, "--out", tmp_path / "data", "--base-url", server.url,
                   "--retry-delay-ms", "1", *map(str, options)]
        if popen:
            return subprocess.Popen(command, env=environment, text=True, stdout=subprocess.PIPE,
                                    stderr=subprocess.PIPE)
        done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode == status, done.stderr
        assert "secret" not in done.stderr and "hush" not in done.stderr
        return done
    run.data = tmp_path / "data"
    run.folder = run.data / "kaggle/alice/tables"
    run.home = tmp_path / "home"
    return run


def leftovers(fetch):
    """What is in the folder of unfinished things, without lock files."""
    unfinished = fetch.data / ".fetch"
    return sorted(path.suffix for path in unfinished.iterdir() if path.suffix != ".lock")


def test_an_archive_is_unpacked_and_its_hashes_are_recorded(server, fetch):
    server.publish("alice/tables", ZIP)
    done = fetch()
    assert done.stdout == f"{fetch.folder}/tables/accounts.csv\n"
    assert (fetch.folder / "tables/accounts.csv").read_bytes() == CSV
    subprocess.run(["sha256sum", "--check", "--strict", "SHA256SUMS"], cwd=fetch.folder, check=True, capture_output=True)
    source = json.loads((fetch.folder / "source.json").read_text())
    assert source["name"] == "kaggle:alice/tables"
    assert source["etag"] == '"v1"'
    assert source["sha256"] == hashlib.sha256(ZIP).hexdigest()
    assert {file["name"] for file in source["files"]} == {"tables/accounts.csv", "read me.md"}
    assert leftovers(fetch) == []


def test_what_is_there_is_not_downloaded_again(server, fetch):
    server.publish("alice/tables", ZIP)
    fetch()
    n_requests = len(server.requests)
    again = json.loads(fetch("kaggle:alice/tables", "--json").stdout)
    assert again["was_present"] and len(server.requests) == n_requests
    server.publish("alice/tables", zip_of({"new.csv": b"a\n1\n"}), etag='"v2"')
    assert fetch("kaggle:alice/tables", "--refresh").stdout == f"{fetch.folder}/new.csv\n"
    assert not (fetch.folder / "tables").exists()


def test_one_file_of_a_data_set_can_be_asked_for(server, fetch):
    server.publish("alice/tables", zip_of({"a.csv": b"a\n", "b.csv": b"b\n"}))
    assert fetch().stdout.split() == [f"{fetch.folder}/a.csv", f"{fetch.folder}/b.csv"]
    assert fetch("kaggle:alice/tables/b.csv").stdout.split() == [f"{fetch.folder}/b.csv"]
    assert "has no file 'c.csv'" in fetch("kaggle:alice/tables/c.csv", status=1).stderr


def test_text_about_the_tables_is_no_table(server, fetch):
    server.publish("alice/tables", zip_of({"README.txt": b"about\n", "x/LICENSE.txt": b"do\n", "b.txt": b"b\n"}))
    assert fetch().stdout.split() == [f"{fetch.folder}/b.txt"]


def test_a_changed_file_is_noticed(server, fetch):
    server.publish("alice/tables", ZIP)
    fetch()
    (fetch.folder / "tables/accounts.csv").write_text("mine\n")
    assert "was changed after the download" in fetch(status=1).stderr
    assert (fetch.folder / "tables/accounts.csv").read_text() == "mine\n"


def test_a_folder_of_somebody_else_is_not_replaced(server, fetch):
    fetch.folder.mkdir(parents=True)
    (fetch.folder / "mine.csv").write_text("mine\n")
    server.publish("alice/tables", ZIP)
    assert "was not downloaded" in fetch(status=1).stderr
    assert (fetch.folder / "mine.csv").read_text() == "mine\n"


# ---- credentials ----

def credentials_of(kind, home):
    if kind == "environment":
        return {"KAGGLE_USERNAME": "alice", "KAGGLE_KEY": "secretkey"}, basic("alice", "secretkey")
    if kind == "token":
        return {"KAGGLE_API_TOKEN": "secrettoken"}, "Bearer secrettoken"
    directory = home / ".kaggle" if kind != "other folder" else home / "elsewhere"
    directory.mkdir(parents=True)
    if kind == "access_token":
        (directory / "access_token").write_text("secrettoken\n")
        return {}, "Bearer secrettoken"
    (directory / "kaggle.json").write_text('{"username":"alice","key":"secretkey"}')
    return ({"KAGGLE_CONFIG_DIR": str(directory)} if kind == "other folder" else {}), basic("alice", "secretkey")


@pytest.mark.parametrize("kind", ["environment", "token", "access_token", "kaggle.json", "other folder"])
def test_credentials_go_to_the_first_host_only(server, fetch, kind):
    environment, expected = credentials_of(kind, fetch.home)
    server.publish("alice/tables", ZIP, authorization=expected)
    fetch(env=environment)
    assert [request.headers.get("Authorization") for request in server.to("api")] == [expected]
    assert server.to("storage")
    for request in server.to("storage"):
        assert "Authorization" not in request.headers and "Cookie" not in request.headers
    for path in fetch.data.rglob("*.json"):
        assert "secret" not in path.read_text() and "hush" not in path.read_text()


def test_credentials_do_not_come_back_after_another_host(server, fetch):
    """api -> storage -> api: the way back does not see them either."""
    server.publish("alice/tables", ZIP, authorization=basic("alice", "secretkey"))
    server.publish("back", ZIP, faults=[Status(302, {"Location": f"{server.url}/api/v1/datasets/download/end"})])
    server.publish("end", ZIP, direct=True)
    server.datasets["alice/tables"].location = f"{server.storage_url}/bucket/back"
    fetch(env={"KAGGLE_USERNAME": "alice", "KAGGLE_KEY": "secretkey"})
    assert [request.headers.get("Authorization") is not None for request in server.requests] == [True, False, False]


def test_wrong_or_missing_credentials_are_told_apart(server, fetch):
    server.publish("alice/tables", ZIP, authorization=basic("alice", "secretkey"))
    assert "wants credentials (401)" in fetch(status=1).stderr
    wrong = {"KAGGLE_USERNAME": "alice", "KAGGLE_KEY": "secretwrong"}
    assert "does not accept the credentials (401)" in fetch(status=1, env=wrong).stderr
    assert len(server.requests) == 2, "a refusal is not asked again"
    assert not fetch.folder.exists()


def test_a_broken_credentials_file_is_not_quoted(server, fetch):
    directory = fetch.home / ".kaggle"
    directory.mkdir(parents=True)
    (directory / "kaggle.json").write_text('{"username":"alice","key":secretkey')
    assert "kaggle.json: is not JSON" in fetch(status=1).stderr
    (directory / "kaggle.json").write_text('{"username":"alice","key":"secret\\r\\nX: y"}')
    assert "control character" in fetch(status=1).stderr
    assert not server.requests


# ---- addresses ----

@pytest.mark.parametrize("name,reason", [
    ("http://example.invalid/x.csv", "plain http"),
    ("https://user:secret@example.invalid/x.csv", "user name"),
    ("kaggle:alice", "OWNER/DATASET"),
    ("kaggle:../x", "OWNER/DATASET"),
    ("kaggle:alice/..", "OWNER/DATASET"),
    ("kaggle:al%69ce/x", "OWNER/DATASET"),
    ("kaggle:alice/tables/../../x", "climbs out"),
])
def test_names_that_lead_elsewhere_are_refused(server, fetch, name, reason):
    assert reason in fetch(name, status=1).stderr
    assert not server.requests


@pytest.mark.parametrize("location,reason", [
    ("http://example.invalid/x", "plain http"),
    ("file:///etc/passwd", "https"),
    ("ftp://127.0.0.1/x", "https"),
    ("http://127.0.0.1.example.invalid/x", "plain http"),
])
def test_redirects_that_lead_elsewhere_are_refused(server, fetch, location, reason):
    server.publish("alice/tables", ZIP, location=location)
    assert reason in fetch(status=1).stderr
    assert not fetch.folder.exists()


def test_redirects_are_bounded(server, fetch):
    server.publish("alice/tables", ZIP, location=f"{server.url}/api/v1/datasets/download/alice/tables")
    assert "redirected more than" in fetch(status=1).stderr
    assert len(server.requests) == 6


def test_a_certificate_that_nobody_vouches_for_is_refused(server, fetch, tmp_path):
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost",
                    "-keyout", key, "-out", certificate], check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    storage = server.servers["storage"]
    storage.socket = context.wrap_socket(storage.socket, server_side=True)
    server.publish("t.csv", CSV)
    environment = {"KAGGLE_USERNAME": "alice", "KAGGLE_KEY": "secretkey"}
    done = fetch(f"https://localhost:{storage.server_port}/bucket/t.csv", status=1, env=environment)
    assert "certificate" in done.stderr.lower() and not server.requests


def test_a_single_table_is_stored_as_it_is(server, fetch):
    server.publish("tables/people.csv", CSV)
    done = fetch(f"{server.storage_url}/bucket/tables/people.csv?token=hush")
    path, = done.stdout.split()
    assert path.endswith("/people.csv") and open(path, "rb").read() == CSV
    folder = os.path.dirname(path)
    assert "hush" not in open(os.path.join(folder, "source.json")).read()
    server.publish("alice/tables", gzip.compress(CSV))
    path, = fetch().stdout.split()
    assert path.endswith("/tables.csv.gz") and gzip.open(path).read() == CSV


# ---- a bad line ----

def test_a_cut_download_is_continued(server, fetch):
    server.publish("alice/tables", ZIP, faults=[Cut(5000), Cut(20000)])
    fetch()
    assert [request.headers.get("Range") for request in server.to("storage")] == [None, "bytes=5000-", "bytes=25000-"]
    assert (fetch.folder / "tables/accounts.csv").read_bytes() == CSV


def test_the_next_process_continues(server, fetch):
    dataset = server.publish("alice/tables", ZIP, faults=[Cut(10000)])
    assert "cut after 10000 of" in fetch("kaggle:alice/tables", "--attempts", 1, status=1).stderr
    assert leftovers(fetch) == [".part", ".validator"] and not fetch.folder.exists()
    assert not dataset.faults
    fetch()
    assert server.to("storage")[-1].headers["Range"] == "bytes=10000-"
    assert (fetch.folder / "tables/accounts.csv").read_bytes() == CSV
    assert leftovers(fetch) == []


def test_a_file_that_changed_meanwhile_is_not_mixed(server, fetch):
    server.publish("alice/tables", ZIP, faults=[Cut(10000)])
    fetch("kaggle:alice/tables", "--attempts", 1, status=1)
    server.publish("alice/tables", zip_of({"other.csv": CSV[::-1]}), etag='"v2"')
    assert fetch().stdout == f"{fetch.folder}/other.csv\n"
    assert (fetch.folder / "other.csv").read_bytes() == CSV[::-1]


@pytest.mark.parametrize("fault", [NoRange(), OtherRange(5), Status(416)])
def test_a_server_that_cannot_continue_begins_again(server, fetch, fault):
    server.publish("alice/tables", ZIP, faults=[Cut(10000), fault])
    fetch()
    assert (fetch.folder / "tables/accounts.csv").read_bytes() == CSV


def test_a_weak_etag_is_no_ground_to_continue_on(server, fetch):
    server.publish("alice/tables", ZIP, etag='W/"v1"', faults=[Cut(10000)])
    fetch()
    assert [request.headers.get("Range") for request in server.to("storage")] == [None, None]


def test_a_download_that_was_complete_is_only_unpacked(server, fetch):
    server.publish("alice/tables", ZIP, faults=[Cut(len(ZIP) - 1), Announce(1), Status(503)])
    fetch("kaggle:alice/tables", "--attempts", 1, status=1)
    part, = (fetch.data / ".fetch").glob("*.part")
    part.write_bytes(ZIP)
    server.datasets["alice/tables"].faults = []
    fetch()
    assert (fetch.folder / "tables/accounts.csv").read_bytes() == CSV


def test_a_body_shorter_than_announced_is_no_success(server, fetch):
    table = server.publish("alice/tables", CSV, faults=[Announce(100)] * 10)
    done = fetch("kaggle:alice/tables", "--attempts", 3, status=1)
    assert f"cut after {len(CSV)} of {len(CSV) + 100} bytes" in done.stderr
    assert not fetch.folder.exists() and len(table.faults) < 8


def test_a_body_longer_than_announced_is_no_success(server, fetch):
    server.publish("alice/tables", CSV, faults=[Announce(-100)])
    assert "sent more than" in fetch(status=1).stderr
    assert not fetch.folder.exists() and leftovers(fetch) == []


def test_passing_failures_are_tried_again(server, fetch):
    server.publish("alice/tables", ZIP, api_faults=[Status(500), Status(503), Status(429, {"Retry-After": "1"})])
    begin = time.monotonic()
    fetch()
    assert time.monotonic() - begin > 1, "Retry-After was not honoured"
    assert len(server.to("api")) == 4


def test_attempts_are_bounded(server, fetch):
    server.publish("alice/tables", ZIP, api_faults=[Status(500)] * 50)
    assert "gave up after 4 attempts" in fetch("kaggle:alice/tables", "--attempts", 4, status=1).stderr
    assert len(server.requests) == 4


def test_a_wait_that_is_too_long_is_not_waited(server, fetch):
    server.publish("alice/tables", ZIP, api_faults=[Status(429, {"Retry-After": "86400"})])
    assert "asks to wait 86400 s" in fetch(status=1).stderr


@pytest.mark.parametrize("code,reason", [(403, "not allowed"), (404, "no such data set"), (410, "no such data set"), (418, "418")])
def test_final_answers_are_not_tried_again(server, fetch, code, reason):
    server.publish("alice/tables", ZIP, api_faults=[Status(code)])
    assert reason in fetch(status=1).stderr
    assert len(server.requests) == 1


def test_a_stall_is_ended_and_continued(server, fetch):
    server.publish("alice/tables", ZIP, faults=[Stall(30000)])
    begin = time.monotonic()
    fetch("kaggle:alice/tables", "--stall-timeout-s", 1)
    assert time.monotonic() - begin < 10
    assert server.to("storage")[-1].headers["Range"] == "bytes=30000-"


def test_a_server_that_is_not_there_is_told(fetch, server):
    done = fetch("kaggle:alice/tables", "--base-url", "http://127.0.0.1:9", "--attempts", 2, status=1)
    assert "gave up after 2 attempts" in done.stderr


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_leaves_nothing_half_written(server, fetch, number):
    server.publish("alice/tables", ZIP, faults=[Drip(2000, 0.05)])
    process = fetch(popen=True)
    end = time.monotonic() + 10
    while not list(fetch.data.glob(".fetch/*.part")) and time.monotonic() < end:
        time.sleep(0.01)
    time.sleep(0.2)
    process.send_signal(number)
    _, stderr = process.communicate(timeout=5)
    assert process.returncode == 1 and "stopped" in stderr
    assert not fetch.folder.exists()
    assert leftovers(fetch) == [".part", ".validator"]
    fetch()
    assert server.to("storage")[-1].headers["Range"].startswith("bytes=")
    assert (fetch.folder / "tables/accounts.csv").read_bytes() == CSV


def test_two_processes_do_not_get_into_each_others_way(server, fetch):
    server.publish("alice/tables", ZIP, faults=[Drip(2000, 0.05)])
    first = fetch(popen=True)
    end = time.monotonic() + 10
    while not server.to("storage") and time.monotonic() < end:
        time.sleep(0.01)
    assert "another process" in fetch(status=1).stderr
    assert first.wait(30) == 0
    first.communicate()


# ---- bad archives ----

def link(name, target, kind):
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, target
    return info


def special(name, kind):
    info = tarfile.TarInfo(name)
    info.type = kind
    return info


BAD_ARCHIVES = {
    "climbing zip": (zip_of({"ok.csv": b"a\n", "../evil.csv": b"x"}), "climbs out"),
    "climbing deeper": (zip_of({"a/../../evil.csv": b"x"}), "climbs out"),
    "absolute zip": (zip_of({"/tmp/evil.csv": b"x"}), "relative"),
    "backslashes": (zip_of({"..\\evil.csv": b"x"}), "climbs out|backslash"),
    "drive": (zip_of({"C:evil.csv": b"x"}), "colon"),
    "control character": (zip_of({"a\nb.csv": b"x"}), "control character"),
    "climbing tar": (tar_of({"../evil.csv": b"x"}), "climbs out"),
    "absolute tar": (tar_of({"/tmp/evil.csv": b"x"}), "relative"),
    "symlink": (tar_of({"a": link("a", "/etc", tarfile.SYMTYPE), "a/b.csv": b"x"}), "is a link"),
    "hard link": (tar_of({"a": link("a", "/etc/passwd", tarfile.LNKTYPE)}), "is a link"),
    "device": (tar_of({"d": special("d", tarfile.CHRTYPE)}), "not a file"),
    "fifo": (tar_of({"f": special("f", tarfile.FIFOTYPE)}), "not a file"),
    "twice": (tar_of({"a.csv": b"x", "./a.csv": b"y"}), "twice"),
    "our own name": (zip_of({"SHA256SUMS": b"x"}), "need for ourselves"),
    "deep": (zip_of({"a/" * 30 + "b.csv": b"x"}), "too deep"),
    "empty zip": (zip_of({}), "neither"),
    "only folders": (tar_of({"d": special("d", tarfile.DIRTYPE)}), "no file"),
    "damaged zip": (ZIP[:200] + bytes(100) + ZIP[300:], "damaged"),
    "cut zip": (ZIP[:len(ZIP) // 2], "damaged"),
    "cut tar": (tar_of({"a.csv": random.Random(1).randbytes(100000)})[:50000], "damaged"),
    "web page": (b"\n<!DOCTYPE html><html>sign in</html>", "web page"),
    "binary": (b"\x7fELF\x00\x01", "neither"),
    "empty": (b"", "empty"),
    "no table": (zip_of({"a.png": b"\x89PNG"}), "no table"),
}


@pytest.mark.parametrize("kind", BAD_ARCHIVES)
def test_bad_archives_are_refused(server, fetch, tmp_path, kind):
    data, reason = BAD_ARCHIVES[kind]
    server.publish("alice/tables", data)
    stderr = fetch(status=1).stderr
    assert any(part in stderr for part in reason.split("|")), stderr
    assert kind == "no table" or not fetch.folder.exists()
    assert leftovers(fetch) == []
    assert not list(tmp_path.rglob("evil.csv")) and not os.path.exists("/tmp/evil.csv")


def test_a_zip_bomb_is_bounded_by_its_ratio(server, fetch):
    bomb = zip_of({f"{i}.csv": bytes(40 << 20) for i in range(3)}, compresslevel=9)
    assert len(bomb) < 200000
    server.publish("alice/tables", bomb)
    assert "unpacks to more than" in fetch(status=1).stderr
    assert not fetch.folder.exists() and leftovers(fetch) == []


def test_sizes_and_counts_are_bounded(server, fetch):
    server.publish("alice/tables", ZIP)
    assert "larger than 1000 bytes" in fetch("kaggle:alice/tables", "--max-bytes", 1000, status=1).stderr
    assert "unpacks to more than 1000 bytes" in fetch("kaggle:alice/tables", "--max-unpacked-bytes", 1000, status=1).stderr
    assert "more than 1 entries" in fetch("kaggle:alice/tables", "--max-entries", 1, status=1).stderr
    assert not fetch.folder.exists() and leftovers(fetch) == []
    fetch()


@pytest.mark.parametrize("mode", ["w", "w:gz", "w:bz2", "w:xz"])
def test_tar_archives_are_unpacked(server, fetch, mode):
    server.publish("alice/tables", tar_of({"./deep/er/a.csv": CSV, "tëst.csv": b"a\n"}, mode))
    assert fetch().stdout.split() == [f"{fetch.folder}/deep/er/a.csv", f"{fetch.folder}/tëst.csv"]
    assert (fetch.folder / "deep/er/a.csv").read_bytes() == CSV


def test_names_in_utf8_survive_in_a_zip(server, fetch):
    server.publish("alice/tables", zip_of({"größe.csv": CSV}))
    assert fetch().stdout.split() == [f"{fetch.folder}/größe.csv"]


def test_wrong_use_is_told(fetch):
    assert "usage" in fetch("data/mine.csv", status=2).stderr
    assert "--attempts: must be" in fetch("kaggle:alice/tables", "--attempts", "0", status=2).stderr


# ---- in the other commands ----

def test_other_commands_take_the_same_names(server, tmp_path):
    table = b"handle,followers\ninvented_a,1000\ninvented_b,2.5k\n"
    server.publish("alice/tables", zip_of({"one.csv": table, "two.csv": table.replace(b"1000", b"1200")}))
    environment = os.environ | {"HOME": str(tmp_path), "KAGGLE_API_ENDPOINT": server.url, "INFLUENCE_DATA": str(tmp_path / "data")}

    def run(*files, status=0):
        done = subprocess.run([INFLUENCE, "import", *files, "--csv", tmp_path / "out.csv", "--json"], env=environment,
                              capture_output=True, text=True, check=False)
        assert done.returncode == status, done.stderr
        return done
    sources = json.loads(run("kaggle:alice/tables").stdout)["sources"]
    assert [source["path"] for source in sources] == [f"{tmp_path}/data/kaggle/alice/tables/{name}.csv" for name in ("one", "two")]
    run("kaggle:alice/tables/one.csv@2024-01", "kaggle:alice/tables/two.csv@2024-03")
    rows = list(csv.DictReader(open(tmp_path / "out.csv", encoding="utf-8")))
    grown = {row["handle"]: (float(row["previous_followers"]), float(row["followers"]), float(row["previous_months"])) for row in rows}
    assert grown["invented_a"] == (1000, 1200, 2)
    assert "no such data set" in run("kaggle:alice/other", status=1).stderr

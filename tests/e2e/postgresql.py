# SPDX-License-Identifier: Apache-2.0
"""A real PostgreSQL of the tests' own: made in a directory, on a free port of this machine, ended with the test run."""

import os
import pwd
import shutil
import socket
import subprocess
from pathlib import Path

import pytest

from conftest import BUILD


def programs():
    """The folder of initdb and pg_ctl, or None. Debian keeps them out of PATH."""
    folders = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    found = folders[-1] if folders else shutil.which("initdb")
    return Path(found).resolve().parent if found else None


def relocate(bin_dir, folder, extension):
    """A copy of the server's tree in which the extension is installed: PostgreSQL finds its files from where its program is."""
    share, lib = Path("/usr/share/postgresql") / bin_dir.parent.name, bin_dir.parent / "lib"
    version = bin_dir.parent.name
    new_bin, new_lib = folder / f"usr/lib/postgresql/{version}/bin", folder / f"usr/lib/postgresql/{version}/lib"
    new_share = folder / f"usr/share/postgresql/{version}"
    for part in (new_bin, new_lib, new_share / "extension"):
        part.mkdir(parents=True)
    for name in ("postgres", "initdb", "pg_ctl"):
        shutil.copy2(bin_dir / name, new_bin / name)
    for source, target in ((lib, new_lib), (share, new_share), (share / "extension", new_share / "extension")):
        for entry in source.iterdir():
            if not (target / entry.name).exists():
                (target / entry.name).symlink_to(entry)
    shutil.copy(extension / "influence.so", new_lib / "influence.so")
    for file in (extension / "influence.control", *extension.glob("influence--*.sql")):
        shutil.copy(file, new_share / "extension" / file.name)
    return new_bin


def as_user(command, **more):
    """PostgreSQL refuses to run as root: `nobody` does instead."""
    if os.geteuid() == 0:
        command = ["setpriv", "--reuid=nobody", f"--regid={pwd.getpwnam('nobody').pw_gid}", "--clear-groups", *command]
    return subprocess.run(command, check=True, timeout=60, stdout=subprocess.DEVNULL, cwd="/", **more)


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Server:
    def __init__(self, folder, bin_dir, extension=None):
        self.folder, self.bin, self.port = Path(folder), bin_dir, free_port()
        self.psql = bin_dir / "psql"
        self.has_extension = extension is not None and (extension / "influence.so").exists()
        if self.has_extension:
            self.bin = relocate(bin_dir, self.folder, extension)
        self.uri = f"postgresql://tester:unseen@127.0.0.1:{self.port}/creators"
        if os.geteuid() == 0:
            os.chown(folder, pwd.getpwnam("nobody").pw_uid, -1)
        as_user([self.bin / "initdb", "-D", self.folder / "data", "-U", "tester", "-A", "trust", "-E", "UTF8", "--locale=C", "-N"])

    def start(self):
        options = f"-p {self.port} -c listen_addresses=127.0.0.1 -c unix_socket_directories= -c fsync=off"
        as_user([self.bin / "pg_ctl", "-D", self.folder / "data", "-o", options, "-w", "-l", self.folder / "log", "start"])

    def stop(self, mode="fast"):
        as_user([self.bin / "pg_ctl", "-D", self.folder / "data", "-m", mode, "-w", "stop"])

    def sql(self, text, database="creators"):
        """Run a script; gives what it prints, fields separated by |."""
        done = subprocess.run(
            [self.psql, "-XqAt", "-v", "ON_ERROR_STOP=1", "-h", "127.0.0.1", "-p", str(self.port), "-U", "tester", database],
            input=text, capture_output=True, text=True, timeout=60, check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()


@pytest.fixture(scope="session")
def postgresql(tmp_path_factory):
    bin_dir = programs()
    if not bin_dir:
        pytest.skip("no PostgreSQL server: apt-get install postgresql")
    # Not below pytest's own folder: that is closed to other users.
    folder = tmp_path_factory.mktemp("pg") if os.geteuid() != 0 else Path(subprocess.check_output(["mktemp", "-d"], text=True).strip())
    folder.chmod(0o755)
    server = Server(folder, bin_dir, BUILD / "src/postgresql")
    server.start()
    try:
        server.sql("CREATE DATABASE creators", "postgres")
        yield server
    finally:
        server.stop("immediate")
        shutil.rmtree(folder, ignore_errors=True)

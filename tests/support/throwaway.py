# SPDX-License-Identifier: Apache-2.0
"""A real PostgreSQL for tests and measurements: made in a directory, on a free port of this machine, ended by whoever made it."""

import contextlib
import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from pathlib import Path


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
    def __init__(self, folder, bin_dir, extension=None, settings="-c fsync=off"):
        self.folder, self.bin, self.port, self.settings = Path(folder), bin_dir, free_port(), settings
        self.psql = bin_dir / "psql"
        self.has_extension = extension is not None and (extension / "influence.so").exists()
        if self.has_extension:
            self.bin = relocate(bin_dir, self.folder, extension)
        self.uri = f"postgresql://tester:unseen@127.0.0.1:{self.port}/creators"
        if os.geteuid() == 0:
            os.chown(folder, pwd.getpwnam("nobody").pw_uid, -1)
        as_user([self.bin / "initdb", "-D", self.folder / "data", "-U", "tester", "-A", "trust", "-E", "UTF8", "--locale=C", "-N"])

    def start(self):
        options = f"-p {self.port} -c listen_addresses=127.0.0.1 -c unix_socket_directories= {self.settings}"
        as_user([self.bin / "pg_ctl", "-D", self.folder / "data", "-o", options, "-w", "-l", self.folder / "log", "start"])

    def stop(self, mode="fast"):
        as_user([self.bin / "pg_ctl", "-D", self.folder / "data", "-m", mode, "-w", "stop"])

    def sql(self, text, database="creators", timeout=60):
        """Run a script; gives what it prints, fields separated by |."""
        done = subprocess.run(
            [self.psql, "-XqAt", "-v", "ON_ERROR_STOP=1", "-h", "127.0.0.1", "-p", str(self.port), "-U", "tester", database],
            input=text, capture_output=True, text=True, timeout=timeout, check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()


@contextlib.contextmanager
def running(build, **more):
    """A server with an empty database "creators", and the extension of that build where there is one."""
    bin_dir = programs()
    if not bin_dir:
        raise SystemExit("no PostgreSQL server: apt-get install postgresql")
    # By default this signal would end the program, and leave the server behind.
    if signal.getsignal(signal.SIGTERM) is signal.SIG_DFL:
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    folder = Path(tempfile.mkdtemp(prefix="influence-postgresql-"))
    try:
        folder.chmod(0o755)
        server = Server(folder, bin_dir, build / "src/postgresql", **more)
        server.start()
        try:
            server.sql("CREATE DATABASE creators", "postgres")
            yield server
        finally:
            server.stop("immediate")
    finally:
        shutil.rmtree(folder, ignore_errors=True)

#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""clang-tidy over the compile database, in parallel, skipping what was clean and has not changed.

    tests/lint/tidy.py BUILD_DIRECTORY

A file's stamp is the hash of its preprocessed text, the checks and the program; it lies in
BUILD_DIRECTORY/tidy. One file a process: the va_list check of clang-tidy 14 mixes files up.
"""

import concurrent.futures
import hashlib
import json
import os
import shlex
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TIDY = "clang-tidy-14"
ANALYZER_HEADER = ROOT / "tests/lint/analyzer.h"
# It defines what the header wraps.
WITHOUT_HEADER = {"src/base/status.c"}


def preprocessed(entry):
    words = [w for w in shlex.split(entry["command"]) if w != "ccache"]
    words = words[: words.index("-MD")] if "-MD" in words else words[: words.index("-o")]
    done = subprocess.run(
        [*words, "-E", "-P", entry["file"]], cwd=entry["directory"], capture_output=True, check=True
    )
    return done.stdout


def check(entry, build, constant):
    """What clang-tidy says of one file; empty when it is clean."""
    source = (Path(entry["directory"]) / entry["file"]).resolve()
    name = source.relative_to(ROOT).as_posix()
    # The text itself too: NOLINT stands in comments.
    stamp = hashlib.sha256(constant + source.read_bytes() + preprocessed(entry)).hexdigest()
    stamp_file = build / "tidy" / name.replace("/", "+")
    if stamp_file.exists() and stamp_file.read_text() == stamp:
        return ""
    # A program against the public headers sees none of ours.
    inside = " -Isrc " in entry["command"] and name not in WITHOUT_HEADER
    extra = ["--extra-arg=-include", f"--extra-arg={ANALYZER_HEADER}"] if inside else []
    done = subprocess.run(
        [TIDY, "--quiet", "-p", str(build), *extra, str(source)], capture_output=True, text=True, check=False
    )
    if done.returncode == 0:
        stamp_file.write_text(stamp)
        return ""
    return done.stdout or done.stderr


def main(build):
    (build / "tidy").mkdir(exist_ok=True)
    version = subprocess.run([TIDY, "--version"], capture_output=True, check=True).stdout
    constant = version + (ROOT / ".clang-tidy").read_bytes() + ANALYZER_HEADER.read_bytes()
    database = json.loads((build / "compile_commands.json").read_text())
    sources = {
        entry["file"]: entry
        for entry in database
        if (Path(entry["directory"]) / entry["file"]).resolve().is_relative_to(ROOT)
        and not (Path(entry["directory"]) / entry["file"]).resolve().is_relative_to(build)
    }
    if not sources:
        print(f"{build}: no sources in its compile database")
        return 1
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        findings = pool.map(lambda entry: check(entry, build, constant), sources.values())
        bad = [text for text in findings if text]
    print("".join(bad), end="")
    return 1 if bad else 0


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    sys.exit(main(Path(sys.argv[1]).resolve()))

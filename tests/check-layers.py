#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Holds the house together: fails on an include that points upward or sideways, on a meson.build
that links it, on a second user of a library, and on a source file without its licence line.

    tests/check-layers.py [ROOT]
    tests/check-layers.py --self-test
"""

import fnmatch
import re
import sys
import tempfile
from pathlib import Path

# folder of src/ -> the folders that it may include, besides itself.
BELOW_PIPELINE = [
    "base", "profile", "dataset", "features", "artifact", "runtime", "reqlog", "graph", "explore", "learn",
]
LAYERS = {
    "base": [],
    "profile": ["base"],
    "dataset": ["base", "profile"],
    "features": ["base", "profile"],
    "artifact": ["base"],
    "ui": ["base"],
    "database": ["base"],
    # The extension sees the public interface only; its module is linked from the runtime.
    "postgresql": ["runtime"],
    "runtime": ["base", "profile", "features", "artifact"],
    "reqlog": ["base"],
    "graph": ["base", "runtime"],
    "explore": ["base", "profile", "dataset", "features", "graph"],
    "learn": ["base", "profile", "dataset", "features", "artifact", "runtime", "graph"],
    "pipeline": BELOW_PIPELINE,
    "serve": ["base", "profile", "features", "artifact", "runtime", "reqlog", "ui"],
    "cli": BELOW_PIPELINE + ["database", "pipeline", "ui"],
    # base for the error and the log, which come with whatever serve hands out.
    "daemon": ["base", "serve"],
    # The tables behind --help, and nothing else, while the project is built.
    "manual": ["cli", "serve"],
}

# Header of a library -> the files that may include it. One file of ours (or its parts: the same
# name and a suffix) uses a library, so that it can be replaced in one place. GSL is mathematics
# and not a service: two rooms work with it.
LIBRARIES = {
    "cjson/*": ["src/base/json_parse.c"],
    "ini.h": ["src/base/config*.c"],
    "xxhash.h": ["src/base/hash*.c"],
    "nettle/*": ["src/base/hash*.c"],
    "curl/*": ["src/dataset/fetch*.c"],
    "archive*.h": ["src/dataset/fetch*.c"],
    "csv.h": ["src/dataset/csv*.c"],
    "zlib.h": ["src/dataset/*.c", "src/ui/page.c", "src/serve/encoding.c"],
    "gnutls/*": ["src/serve/tls*.c"],
    "iconv.h": ["src/dataset/*.c"],
    "gsl/*": ["src/explore/*.[ch]", "src/learn/*.[ch]"],
    # Its trees, and its collective.
    "xgboost/*": ["src/learn/boosting*.[ch]", "src/learn/collective.c"],
    "igraph/*": ["src/graph/igraph.c"],
    "sqlite3.h": ["src/reqlog/*.[ch]"],
    "postgres.h": ["src/postgresql/*.[ch]"],
    "libpq-fe.h": ["src/database/database*.[ch]"],
    "microhttpd.h": ["src/serve/server*.[ch]"],
}

SOURCES = {".c", ".h", ".def", ".py", ".sh", ".ts"}
INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]', re.MULTILINE)
DEPENDENCIES = re.compile(r"\bdependencies\s*:\s*\[?([^\])]*)")


def check_include(path, folder, kind, target):
    """The sentence to complain with, or None."""
    for header, users in LIBRARIES.items():
        if fnmatch.fnmatchcase(target, header):
            if any(fnmatch.fnmatchcase(path, user) for user in users):
                return None
            return f"<{target}> belongs to {' and '.join(users)}"
    if kind == "<":
        return None
    layer = target.split("/")[0]
    if layer == "influence":
        return None if folder == "influence" or "runtime" in LAYERS[folder] + [folder] else (
            f'"{target}": the public interface is above {folder}/'
        )
    if layer not in LAYERS:
        return f'"{target}": write it as "folder/file.h"'
    if folder == "influence":
        return f'"{target}": a public header includes no inner one'
    if layer != folder and layer not in LAYERS[folder]:
        return f'"{target}": {folder}/ may include {", ".join(LAYERS[folder]) or "nothing"}'
    return None


def check_source(path, text):
    """path: as 'src/folder/file.c' or 'include/influence/file.h'."""
    folder = path.split("/")[1]
    if folder not in LAYERS and folder != "influence":
        yield f"{path}: src/{folder}/ is not in the table of {Path(__file__).name}"
        return
    for match in INCLUDE.finditer(text):
        complaint = check_include(path, folder, *match.groups())
        if complaint:
            line = text.count("\n", 0, match.start(2)) + 1
            yield f"{path}:{line}: {complaint}"


def check_meson(path, text):
    folder = path.split("/")[1]
    if folder not in LAYERS:
        return
    for match in DEPENDENCIES.finditer(text):
        for name in re.findall(r"\w+", match.group(1)):
            if name in LAYERS and name != folder and name not in LAYERS[folder]:
                line = text.count("\n", 0, match.start()) + 1
                yield f"{path}:{line}: links {name}, which {folder}/ may not include"


def check_licence(path, text):
    if "SPDX-License-Identifier: " not in text[:300]:
        yield f"{path}: no SPDX-License-Identifier at the top"


def is_shell(path):
    with path.open("rb") as file:
        return re.match(rb"#!.*\b(ba)?sh\b", file.readline(80)) is not None


def check_tree(root):
    files = [root / "dev"]
    for top in ("src", "include", "tests", "docker", "config", ".ci"):
        files += sorted(p for p in (root / top).rglob("*") if p.is_file())
    n_checked = 0
    for file in files:
        path = file.relative_to(root).as_posix()
        ours = {"node_modules", "corpus", "golden", "__pycache__"}.isdisjoint(file.parts)
        if not file.is_file() or not ours:
            continue
        inner = path.startswith(("src/", "include/")) and path.count("/") >= 2
        if file.suffix in SOURCES or not file.suffix and is_shell(file):
            n_checked += 1
            text = file.read_text(encoding="utf-8")
            yield from check_licence(path, text)
            if inner and file.suffix in {".c", ".h", ".def"}:
                yield from check_source(path, text)
        elif inner and file.name == "meson.build":
            yield from check_meson(path, file.read_text(encoding="utf-8"))
    if n_checked == 0:
        yield f"{root}: no source files found"


SPDX = "/* SPDX-License-Identifier: Apache-2.0 */\n"
# (file, text, what the complaint must say; None for no complaint)
CASES = [
    ("src/runtime/engine.c", '#include "base/status.h"\n#include <math.h>\n', None),
    ("src/runtime/engine.c", '#include "serve/slot.h"\n', "runtime/ may include"),
    ("src/serve/slot.c", '\n  #  include "learn/tune.h"\n', "src/serve/slot.c:3: "),
    ("src/base/text.c", '#include "text.h"\n', 'write it as "folder/file.h"'),
    ("src/base/text.c", '#include "../base/text.h"\n', 'write it as "folder/file.h"'),
    ("src/attic/old.c", "\n", "not in the table"),
    ("src/base/json_parse.c", "#include <cjson/cJSON.h>\n", None),
    ("src/serve/codec.c", "#include <cjson/cJSON.h>\n", "belongs to src/base/json"),
    ("src/serve/codec.c", "#include <sqlite3.h>\n", "belongs to src/reqlog"),
    ("src/runtime/engine.c", '#include "influence/predict.h"\n', None),
    ("src/base/text.c", '#include "influence/predict.h"\n', "above base/"),
    ("include/influence/predict.h", '#include "base/status.h"\n', "no inner one"),
    ("src/serve/meson.build", "x = static_library('serve', dependencies: [base, learn])\n", "links learn"),
    ("src/serve/meson.build", "x = static_library('serve', dependencies: [base, runtime])\n", None),
]


def self_test():
    failures = []
    for name, text, expected in CASES:
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder, name)
            file.parent.mkdir(parents=True)
            file.write_text(text if file.name == "meson.build" else SPDX + text)
            Path(folder, "src/base").mkdir(parents=True, exist_ok=True)
            Path(folder, "src/base/arena.h").write_text(SPDX)
            complaints = list(check_tree(Path(folder)))
        good = not complaints if expected is None else len(complaints) == 1 and expected in complaints[0]
        if not good:
            failures.append(f"{name} with {text!r}: expected {expected!r}, got {complaints}")
    with tempfile.TemporaryDirectory() as folder:
        if not any("no source files" in c for c in check_tree(Path(folder))):
            failures.append("an empty tree passes")
        Path(folder, "dev").write_text("#!/bin/bash\necho\n")
        if not any("no SPDX" in c for c in check_tree(Path(folder))):
            failures.append("a script without its licence line passes")
    return failures


def main():
    if sys.argv[1:] == ["--self-test"]:
        complaints = self_test()
    else:
        root = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).resolve().parent.parent
        complaints = list(check_tree(root))
    print("\n".join(complaints) or "layers: fine")
    return 1 if complaints else 0


if __name__ == "__main__":
    sys.exit(main())

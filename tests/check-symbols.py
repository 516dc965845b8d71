#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The shared library shows what the public headers declare, and nothing else.

    tests/check-symbols.py LIBRARY HEADER...
"""

import re
import subprocess
import sys
from pathlib import Path


def main():
    library, *headers = sys.argv[1:]
    listing = subprocess.run(
        ["nm", "--dynamic", "--defined-only", library], check=True, capture_output=True, text=True
    ).stdout
    shown = {line.split()[-1].split("@")[0] for line in listing.splitlines()}
    # Sanitizers and coverage add their own.
    shown = {name for name in shown if not name.startswith(("_", "asan.", "llvm_", "__"))}
    declared = set()
    for header in headers:
        declared |= set(re.findall(r"\bIFL_API\b[^;]*?\b(ifl_\w+)\(", Path(header).read_text()))
    for name in sorted(shown - declared):
        print(f"{library}: shows {name}, which no public header declares")
    for name in sorted(declared - shown):
        print(f"{library}: lacks {name}")
    return shown != declared


if __name__ == "__main__":
    sys.exit(main())

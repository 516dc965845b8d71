# SPDX-License-Identifier: Apache-2.0
"""What the measuring scripts share: processes, their CPU and memory, medians, tables."""

import os
import statistics
import subprocess
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TICK = os.sysconf("SC_CLK_TCK")


def cpu_seconds(pid):
    """User and system time of a process with all its threads."""
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICK


def memory_mib(pid, what="VmRSS"):
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(what + ":"):
            return int(line.split()[1]) / 1024
    raise KeyError(what)


class Finished:
    """A command that was run to its end: wall and CPU seconds, largest memory."""

    def __init__(self, command, **more):
        begin = time.monotonic()
        process = subprocess.Popen([str(word) for word in command], **{"stdout": subprocess.DEVNULL, **more})
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        self.wall_s = time.monotonic() - begin
        self.cpu_s = usage.ru_utime + usage.ru_stime
        self.peak_mib = usage.ru_maxrss / 1024
        if process.returncode != 0:
            raise SystemExit(f"{' '.join(map(str, command))}: exit {process.returncode}")


def median(values):
    return statistics.median(values)


def spread(values):
    """Half the range, in percent of the median: how far to trust it."""
    middle = median(values)
    return 50 * (max(values) - min(values)) / middle if middle else 0.0


def table(header, rows):
    """A table in Markdown; numbers are written by the caller."""
    lines = ["| " + " | ".join(header) + " |", "|" + "---|" * len(header)]
    lines += ["| " + " | ".join(map(str, row)) + " |" for row in rows]
    return "\n".join(lines)

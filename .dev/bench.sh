# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
#
# What a request and a command cost: `./dev bench`. Part of ./dev.

command_bench() {
    need "${build_packages[@]}" "${bench_packages[@]}"
    setup build
    compile build
    /usr/bin/python3 tests/bench/jobs.py
    echo
    /usr/bin/python3 tests/bench/serve.py
}

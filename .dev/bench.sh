# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
#
# What a request and a command cost, and how accurate the models are: `./dev bench`. Part of ./dev.

command_bench() {
    need "${build_packages[@]}" "${bench_packages[@]}"
    setup build
    compile build
    if [[ ${1:-} == accuracy ]]; then
        shift
        /usr/bin/python3 tests/bench/accuracy.py "$@"
        return
    fi
    [[ $# -eq 0 ]] || die "bench: '$1' is not known; accuracy is"
    /usr/bin/python3 tests/bench/jobs.py
    echo
    /usr/bin/python3 tests/bench/serve.py
}

# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
#
# What a request and a command cost, and how accurate the models are: `./dev bench`. Part of ./dev.

command_bench() {
    need "${build_packages[@]}" "${bench_packages[@]}"
    # Before the build, which makes the extension where the server's headers are.
    [[ ! ${1:-} =~ ^(sql|ship|scale)$ ]] || need_postgresql
    setup build
    compile build
    if [[ ${1:-} == accuracy ]]; then
        shift
        /usr/bin/python3 tests/bench/accuracy.py "$@"
        return
    fi
    local part=${1:-}
    [[ $# -eq 0 ]] || shift
    case $part in
    requests) /usr/bin/python3 tests/bench/serve.py "$@" ;;
    instructions) /usr/bin/python3 tests/bench/instructions.py "$@" ;;
    crash | reload) /usr/bin/python3 tests/bench/upheaval.py "$part" "$@" ;;
    page) /usr/bin/python3 tests/bench/page.py "$@" ;;
    kmeans) /usr/bin/python3 tests/bench/kmeans.py "$@" ;;
    scaling) /usr/bin/python3 tests/bench/scaling.py "$@" ;;
    scale | ship | sql | workers) /usr/bin/python3 "tests/bench/$part.py" "$@" ;;
    trees) build/tests/bench/bench-runtime trees ;;
    neighbours) build/tests/bench/bench-runtime neighbours "${1:-100000}" "${2:-256}" "${@:3}" ;;
    '')
        /usr/bin/python3 tests/bench/jobs.py
        echo
        /usr/bin/python3 tests/bench/serve.py
        ;;
    *) die "bench: '$part' is not known; accuracy, requests, crash, reload, instructions, kmeans, page, scaling, scale, ship, sql, trees, neighbours and workers are" ;;
    esac
}

# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
#
# What a request and a command cost, and how accurate the models are: `./dev bench`. Part of ./dev.

# What tests count: cases refused of cases tried, requests lost of requests answered.
bench_refusals() {
    INFLUENCE_BUILD=$PWD/build /usr/bin/python3 -B -m pytest -c tests/e2e/pytest.ini -q -rP tests/e2e/test_daemon_strict.py \
        tests/e2e/test_daemon_haproxy.py tests/e2e/test_daemon_disk.py tests/e2e/test_daemon_operations.py tests/e2e/test_replicas.py \
        -k 'every_case or no_hidden or full_disk_stops or kill_9 or while_models_change or restart_of_each or rollout_fails or killed_replica' |
        grep -E '^(strict|smuggling|disk full|kill -9|reload|restart|rollout|killed replica): |passed|failed'
}

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
    features) /usr/bin/python3 tests/bench/features.py "$@" ;;
    slow | batches) /usr/bin/python3 tests/bench/crowd.py "$part" "$@" ;;
    refusals) bench_refusals ;;
    page) /usr/bin/python3 tests/bench/page.py "$@" ;;
    kmeans) /usr/bin/python3 tests/bench/kmeans.py "$@" ;;
    scaling) /usr/bin/python3 tests/bench/scaling.py "$@" ;;
    scale | ship | sql | train | workers) /usr/bin/python3 "tests/bench/$part.py" "$@" ;;
    trees) build/tests/bench/bench-runtime trees ;;
    neighbours) build/tests/bench/bench-runtime neighbours "${1:-100000}" "${2:-256}" "${@:3}" ;;
    '')
        /usr/bin/python3 tests/bench/jobs.py
        echo
        /usr/bin/python3 tests/bench/serve.py
        ;;
    *) die "bench: '$part' is not known; accuracy, requests, features, slow, batches, refusals, crash, reload, instructions, kmeans, page, scaling, scale, ship, sql, train, trees, neighbours and workers are" ;;
    esac
}

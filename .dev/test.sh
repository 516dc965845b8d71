# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
#
# Every test, plain and under the sanitizers. Part of ./dev.

results=()

# unit LABEL DIRECTORY: unit tests and corpus replay of a build.
run_unit() {
    local log=$2/meson-logs/testlog.json
    rm -f "$log"
    meson test -C "$2" --no-rebuild --print-errorlogs --timeout-multiplier "${3:-1}" ||
        say "$1: failed, see above"
    results+=("$1=$log")
}

# e2e LABEL RESULT-FILE PYTEST-ARGUMENT...
run_e2e() {
    local label=$1 file=$2
    shift 2
    rm -f "$file"
    /usr/bin/python3 -B -m pytest -c tests/e2e/pytest.ini tests/e2e -p no:cacheprovider -q -n 2 \
        --junitxml="$file" "$@" || say "$label: failed, see above"
    results+=("$label=$file")
}

# A build that breaks is a failed run: its result file is missing.
compile_or_fail() {
    compile "$@" || say "$1 does not build"
}

test_plain() {
    setup build -Dtests=enabled
    rm -f build/e2e.xml build/meson-logs/testlog.json
    compile_or_fail build
    run_unit "unit and corpus" build
    INFLUENCE_BUILD=$PWD/build run_e2e "end to end" build/e2e.xml
}

test_address() {
    local options="strict_string_checks=1:detect_stack_use_after_return=1"
    # -w: instrumented code makes the compiler see ghosts; warnings are the lint's business.
    setup build-asan -Dtests=enabled -Db_sanitize=address,undefined -Doptimization=1 -Dc_args=-w -Dpage=disabled
    compile_or_fail build-asan
    export ASAN_OPTIONS=$options UBSAN_OPTIONS=print_stacktrace=1:halt_on_error=1
    export LSAN_OPTIONS=suppressions=$PWD/tests/lsan.supp:print_suppressions=0
    run_unit "unit and corpus (asan+ubsan)" build-asan 5
    INFLUENCE_SANITIZER=address INFLUENCE_BUILD=$PWD/build-asan \
        run_e2e "end to end (asan+ubsan)" build-asan/e2e.xml
    unset ASAN_OPTIONS UBSAN_OPTIONS LSAN_OPTIONS
}

# Address space randomisation as newer kernels do it is too wide for this thread sanitizer.
without_randomisation() {
    if setarch -R true 2>/dev/null; then
        setarch -R "$@"
    else
        "$@"
    fi
}

# Only what runs threads of ours, the daemon; the models come from the plain build.
test_thread() {
    setup build-tsan -Dtests=disabled -Db_sanitize=thread -Doptimization=1 -Dc_args=-w -Dpage=disabled
    compile_or_fail build-tsan src/daemon/influenced
    INFLUENCE_SANITIZER=thread INFLUENCE_BUILD=$PWD/build TSAN_OPTIONS=second_deadlock_stack=1 \
        INFLUENCED=$PWD/build-tsan/src/daemon/influenced \
        run_e2e "daemon (tsan)" build-tsan/e2e.xml -m daemon
}

command_test() {
    [[ $# -eq 0 || $1 == quick ]] || die "test: unknown argument $1; see ./dev help"
    need "${build_packages[@]}" "${test_packages[@]}"
    need_page
    need_chromium
    need_promtool
    need_postgresql
    export CMOCKA_MESSAGE_OUTPUT=TAP SHARED_DATA=${SHARED_DATA:-$PWD/../shared/data}
    test_plain
    if [[ ${1:-} != quick ]]; then
        test_address
        test_thread
    fi
    tests/summary.py "${results[@]}"
}

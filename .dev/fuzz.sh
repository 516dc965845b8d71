# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
#
# libFuzzer on the targets of tests/fuzz. Part of ./dev.

command_fuzz() {
    local only=${1:-} seconds=${2:-60} target name
    need "${build_packages[@]}" "${fuzz_packages[@]}" libcmocka-dev
    CC=clang-14 setup build-fuzz -Dtests=enabled -Dfuzz=true -Db_lundef=false -Dpage=disabled
    compile build-fuzz
    for target in tests/fuzz/fuzz_*.c; do
        name=$(basename "$target" .c)
        name=${name#fuzz_}
        [[ -z $only || $only == "$name" ]] || continue
        say "fuzzing $name for $seconds s; new inputs go to build-fuzz/corpus/$name"
        mkdir -p "build-fuzz/corpus/$name"
        "build-fuzz/tests/fuzz/fuzz-$name" -max_total_time="$seconds" -timeout=10 -verbosity=0 \
            -print_final_stats=1 -artifact_prefix="build-fuzz/$name-" \
            "build-fuzz/corpus/$name" "tests/fuzz/corpus/$name"
    done
}

# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
#
# What CI refuses: `./dev lint`, `./dev format`. Part of ./dev.

lint_failed=0

# check NAME COMMAND...: run it, keep going, remember.
check() {
    local name=$1
    shift
    say "lint: $name"
    "$@" || {
        say "lint: $name: found something, see above"
        lint_failed=1
    }
}

c_sources() {
    local tops=(src tests)
    [[ ! -d include ]] || tops+=(include)
    find "${tops[@]}" -name '*.[ch]' | sort
}
c_files() { find src -name '*.c' | sort; }
shell_scripts() { grep -rlIE --exclude-dir='build*' --exclude-dir=.git --exclude-dir=node_modules '^#!.*\b(ba)?sh\b' . | sort; }

lint_format() { c_sources | xargs clang-format-14 --dry-run --Werror; }
lint_tidy() { tests/lint/tidy.py build-lint; }
lint_cppcheck() {
    mkdir -p build-lint/cppcheck
    c_files | xargs cppcheck --quiet --cppcheck-build-dir=build-lint/cppcheck -j "$(nproc)" --std=c11 -D__GNUC__ -Isrc -Iinclude \
        --enable=warning,performance,portability --inline-suppr --error-exitcode=1 \
        --suppressions-list=tests/lint/cppcheck.supp
}
lint_shell() { shell_scripts | xargs shellcheck -x; }
lint_python() { find tests -name '*.py' -print0 | xargs -0 /usr/bin/python3 -m pyflakes; }
lint_layers() { tests/check-layers.py && tests/check-layers.py --self-test >/dev/null; }

# In a copy: the build's own packages are those it ships, without type checker and formatter.
page_tools() {
    rm -rf build-lint/ui/app
    mkdir -p build-lint/ui
    cp -r src/ui/app src/ui/package.json src/ui/package-lock.json src/ui/tsconfig.json src/ui/bundle.mjs tests/e2e/page/drive.mjs build-lint/ui/
    (cd build-lint/ui &&
        { [[ node_modules/.package-lock.json -nt package-lock.json ]] ||
            { timeout 180 npm ci --ignore-scripts --no-audit --no-fund --prefer-offline --loglevel=error >&2 && touch node_modules/.package-lock.json; }; })
}
lint_page() {
    has_npm || { say "lint: page: skipped, no npm"; return 0; }
    page_tools && (cd build-lint/ui && npm run --silent check >&2)
}

command_lint() {
    need "${build_packages[@]}" "${lint_packages[@]}"
    setup build-lint -Dtests=enabled -Dwerror=true -Dpage=disabled
    check "layers" lint_layers
    check "format" lint_format
    check "shellcheck" lint_shell
    check "pyflakes" lint_python
    check "page: types and layout" lint_page
    check "warnings as errors" compile build-lint
    check "cppcheck" lint_cppcheck
    check "clang-tidy" lint_tidy
    [[ $lint_failed -eq 0 ]] || die "lint: failed"
    say "lint: clean"
}

command_format() {
    need "${lint_packages[@]}"
    c_sources | xargs clang-format-14 -i
    has_npm || { say "format: page: skipped, no npm"; return 0; }
    page_tools && build-lint/ui/node_modules/.bin/prettier --config src/ui/package.json --write --log-level warn \
        'src/ui/app/**/*.ts' src/ui/bundle.mjs tests/e2e/page/drive.mjs
}

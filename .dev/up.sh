# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
#
# Build, train, serve: `./dev up` and `./dev down`. Part of ./dev.

readonly pid_file=run/influenced.pid

# A process that has ended may stay as a zombie, where process 1 does not wait for it.
is_running() { [[ $(sed 's/.*) //' "/proc/$1/stat" 2>/dev/null) =~ ^[^ZX] ]]; }

# The process that an earlier `up --detach` left, if it still is ours.
detached_pid() {
    local pid
    pid=$(cat "$pid_file" 2>/dev/null) || return 1
    [[ $(readlink "/proc/$pid/exe" 2>/dev/null) == "$PWD"/build/src/daemon/influenced* ]] || return 1
    printf '%s\n' "$pid"
}

command_down() {
    local pid
    if ! pid=$(detached_pid); then
        say "nothing to stop"
        return
    fi
    kill -TERM "$pid"
    for ((i = 0; i < 300; i++)); do
        is_running "$pid" || break
        sleep 0.1
    done
    ! is_running "$pid" || die "process $pid does not end"
    rm -f "$pid_file"
    say "stopped"
}

port_is_taken() { (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

need_free_port() {
    ! port_is_taken "$1" || die "port $1 is taken by another program; try ./dev up --port $(($1 + 1))"
}

# What `influence synth` made, as arguments of `influence train`: two months give growth.
# A short search: this is to be seen working, soon.
readonly demo_arguments=(
    data/demo/snapshot-2025-06.csv@2025-06 data/demo/profiles.csv@2025-09
    --search.repeats=1 --search.folds=3
)

make_demo_data() {
    say "making demo data (synthetic) in data/demo"
    build/src/cli/influence synth --rows 1000 --seed 1 --out data/demo >&2
}

# train FILE...: without files, on demo data.
train() {
    local files=("$@")
    if [[ ${#files[@]} -eq 0 ]]; then
        if grep -qs '"synthetic": false' models/current/manifest.json; then
            say "demo data takes the place of your own model: build/src/cli/influence models rollback brings it back"
        fi
        make_demo_data
        files=("${demo_arguments[@]}")
    fi
    say "training on ${files[*]}"
    build/src/cli/influence train "${files[@]}" --out models >&2
}

wait_until_ready() {
    local pid=$1 port=$2
    for ((i = 0; i < 600; i++)); do
        is_running "$pid" || die "influenced ended before it was ready"
        curl -fso /dev/null "http://127.0.0.1:$port/-/ready" && return
        sleep 0.1
    done
    die "influenced is not ready after a minute"
}

# Four lines that work as printed; the handle is one of the catalogue.
print_curl_lines() {
    local base=http://127.0.0.1:$1 handle
    handle=$(curl -fs "$base/influencers?limit=1" |
        python3 -c 'import json, sys, urllib.parse as u; print(u.quote(json.load(sys.stdin)["influencers"][0]["handle"]))')
    cat <<TEXT

influenced answers on $base (models/current). Try:

  curl -s '$base/score' -d '{"followers": "1.2M", "posts": 850, "avg_likes": 41000, "engagement_rate": "3.4%"}'
  curl -s '$base/tier?handle=$handle'
  curl -s '$base/cluster?handle=$handle'
  curl -s '$base/similar?handle=$handle&k=5'

TEXT
}

start_daemon() {
    local port=$1
    mkdir -p run
    build/src/daemon/influenced --server.listen="127.0.0.1:$port" --models.path=models \
        --log.path=run/requests.db "${@:2}" &
    daemon_pid=$!
}

command_up() {
    local port=8080 detach='' files=()
    while [[ $# -gt 0 ]]; do
        case $1 in
            --data)
                shift
                while [[ $# -gt 0 && $1 != --port && $1 != --detach ]]; do
                    files+=("$1")
                    shift
                done
                [[ ${#files[@]} -gt 0 ]] || die "up: --data needs at least one FILE"
                ;;
            --port)
                [[ ${2:-} =~ ^[0-9]{1,5}$ ]] || die "up: --port needs a number"
                port=$2
                shift 2
                ;;
            --detach)
                detach=yes
                shift
                ;;
            *) die "up: unknown option $1; see ./dev help" ;;
        esac
    done
    # One that runs serves on until the next is trained.
    detached_pid >/dev/null || need_free_port "$port"
    need "${build_packages[@]}" "${run_packages[@]}"
    hint_page
    setup build
    compile build src/cli/influence src/daemon/influenced
    train "${files[@]}"
    detached_pid >/dev/null && command_down
    need_free_port "$port"
    if [[ -n $detach ]]; then
        mkdir -p run
        start_daemon "$port" >run/influenced.log 2>&1 </dev/null
        printf '%s\n' "$daemon_pid" >"$pid_file"
        disown
        wait_until_ready "$daemon_pid" "$port"
        print_curl_lines "$port"
        echo "It runs on in the background: ./dev down stops it, run/influenced.log is what it says."
        return
    fi
    start_daemon "$port"
    trap 'kill -TERM "$daemon_pid" 2>/dev/null || true' INT TERM HUP EXIT
    wait_until_ready "$daemon_pid" "$port"
    print_curl_lines "$port"
    echo "Ctrl-C stops it."
    local status=0
    wait "$daemon_pid" || status=$?
    # A signal ends the first wait early; the second one has the daemon's own status.
    if is_running "$daemon_pid"; then
        wait "$daemon_pid" && status=0 || status=$?
    fi
    trap - EXIT
    [[ $status -eq 130 || $status -eq 143 ]] && status=0
    exit "$status"
}

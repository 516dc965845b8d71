# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
#
# The whole stack on a real Docker engine. Part of ./dev. Needs docker and docker compose (either kind);
# the daemon is found by DOCKER_HOST. NODE_EXTRA_CA_CERTS goes into the build, for networks that need it.

REPLICAS=3

compose() {
    local files=(-p influence-test -f docker/compose.yaml -f tests/docker/acknowledged.yaml)
    if docker compose version >/dev/null 2>&1; then
        docker compose "${files[@]}" "$@"
    else
        docker-compose "${files[@]}" "$@"
    fi
}

docker_ok() { say "docker-test: ok: $*"; }
docker_failed() { die "docker-test: FAILED: $*"; }

free_port() {
    python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}

# image_or NAME TARGET: the image if a registry has it, else Debian's package in its place.
image_or() {
    if docker image inspect "$1" >/dev/null 2>&1 || timeout 60 docker pull -q "$1" >/dev/null 2>&1; then
        printf '%s' "$1"
    else
        say "docker-test: $1 cannot be had: Debian's $2 stands in"
        docker build -q --target "$2" -t "influence-test-$2" tests/docker >/dev/null
        printf 'influence-test-%s' "$2"
    fi
}

docker_images() {
    local base size
    docker build -q --target daemon --build-arg NODE_EXTRA_CA_CERTS="${NODE_EXTRA_CA_CERTS:-}" -t influenced . >/dev/null
    docker build -q --target trainer --build-arg NODE_EXTRA_CA_CERTS="${NODE_EXTRA_CA_CERTS:-}" -t influence-trainer . >/dev/null
    base=$(docker image inspect -f '{{.Size}}' debian:bookworm-slim)
    size=$(docker image inspect -f '{{.Size}}' influenced)
    [[ $((size - base)) -lt 30000000 ]] || docker_failed "the daemon's image is $((size - base)) bytes above its base"
    docker_ok "daemon image: $((size / 1000000)) MB, $(((size - base) / 100000))e5 bytes above its base"
    [[ $(docker run --rm --entrypoint id influenced -u) == 10001 ]] || docker_failed "the daemon is root"
    docker run --rm --entrypoint sh influenced -c '! command -v gcc cc influence' >/dev/null ||
        docker_failed "the daemon's image has a compiler or the trainer"
    docker_ok "not root, no compiler, no trainer"
}

docker_wait() {
    for _ in $(seq 120); do
        curl -fs "http://127.0.0.1:$PORT/v2/health/ready" >/dev/null && return
        sleep 0.5
    done
    compose logs --tail 20 >&2
    docker_failed "not ready after 60 s"
}

docker_healthy() {
    local replica
    for replica in "$@"; do
        for _ in $(seq 60); do
            [[ $(docker inspect -f '{{.State.Health.Status}}' "$replica") == healthy ]] && continue 2
            sleep 0.5
        done
        docker_failed "$replica is not healthy"
    done
}

# docker_load [FILE]: clients ask until docker_load_ends, which tells in `load` what became of it; FILE gets the request ids
# of what was answered.
docker_load() {
    coproc LOAD { tests/docker/load.py "$PORT" "$@"; }
}

docker_load_ends() {
    local out=${LOAD[0]} in=${LOAD[1]} pid=$LOAD_PID
    exec {in}>&-
    read -r load <&"$out"
    wait "$pid"
}

# docker_program IMAGE: as docs/operations.md has it, twice as many replicas of the other program, then the old go.
docker_program() {
    local old new replica
    docker tag "$1" influenced
    mapfile -t old < <(compose ps -q influenced)
    compose up -d --no-build --no-deps --no-recreate --scale influenced=$((2 * REPLICAS)) influenced >/dev/null 2>&1
    mapfile -t new < <(compose ps -q influenced | grep -vxFf <(printf '%s\n' "${old[@]}"))
    [[ ${#new[@]} -eq $REPLICAS && $(docker inspect -f '{{.Image}}' "${new[@]}" | uniq) == $(docker image inspect -f '{{.Id}}' "$1") ]] ||
        docker_failed "$1: the new replicas are of another image: ${new[*]}"
    docker_healthy "${new[@]}"
    docker stop -t 30 "${old[@]}" >/dev/null
    for replica in "${old[@]}"; do
        [[ $(docker inspect -f '{{.State.ExitCode}}' "$replica") == 0 ]] || docker_failed "$replica did not end well"
    done
    docker rm "${old[@]}" >/dev/null
}

# Requests while SIGHUP brings a new model, a rollback the old one, and the program is exchanged, there and back.
docker_upgrade() {
    local load before after
    docker tag influenced influenced:before
    docker build -q --target daemon --build-arg NODE_EXTRA_CA_CERTS="${NODE_EXTRA_CA_CERTS:-}" --label influence.test=next \
        -t influenced:next . >/dev/null
    before=$(compose run --rm tools influence models list | grep -c .)
    docker_load
    sleep 2
    SEED=2 compose run --rm train >/dev/null 2>&1
    compose kill -s HUP influenced >/dev/null 2>&1
    sleep 2
    compose run --rm tools influence models rollback >/dev/null 2>&1 || docker_failed "tools: no rollback"
    compose kill -s HUP influenced >/dev/null 2>&1
    sleep 2
    docker_program influenced:next
    docker_program influenced:before
    sleep 1
    docker_load_ends
    after=$(compose run --rm tools influence models list | grep -c .)
    say "docker-test: upgrade and rollback, of the model and of the program: $load"
    [[ $load == *'"lost": 0,'* && $load == *'"models": 2'* ]] || docker_failed "requests were lost, or no model changed"
    [[ $((after - before)) -eq 1 ]] || docker_failed "tools: $before models before the training, $after after it"
}

# One of the replicas dies under load: whatever was answered is in a log, its own included, and it comes back.
docker_kill() {
    local load victim answered rows missing
    answered=$(mktemp) rows=$(mktemp)
    docker_load "$answered"
    sleep 3
    victim=$(compose ps -q influenced | head -n 1)
    docker kill "$victim" >/dev/null
    sleep 3
    docker_load_ends
    docker start "$victim" >/dev/null
    docker_healthy "$victim"
    # shellcheck disable=SC2016
    compose run --rm tools sh -euc 'for log in /log/requests-*.db; do influence log export --db "$log"; done' |
        grep -o '"request_id":"load-[^"]*' | cut -d '"' -f 4 | sort >"$rows"
    missing=$(sort "$answered" | comm -23 - <(uniq "$rows") | wc -l)
    say "docker-test: one of $REPLICAS replicas killed: $load, without a row: $missing, asked twice: $(uniq -d "$rows" | wc -l)"
    [[ $missing -eq 0 ]] || docker_failed "$missing answers have no row in a log"
    # Only what was in flight on it, one a client, may fail; HAProxy asks another replica instead.
    [[ $load =~ \"lost\":\ [0-4], ]] || docker_failed "more was lost than was in flight"
    rm -f "$answered" "$rows"
}

# Whoever asks to be forgotten is in no file of any replica's log, and was.
docker_erase() {
    local erased
    for body in '{"handle": "forget.me", "followers": 12000}' '{"handle": "@Forget.Me", "posts": 9}'; do
        curl -fs -o /dev/null -d "$body" "http://127.0.0.1:$PORT/score"
    done
    curl -s -o /dev/null "http://127.0.0.1:$PORT/tier?handle=forget%2Eme"
    for _ in $(seq 20); do
        compose run --rm tools grep -rqi 'forget.me' /log 2>/dev/null && break
        sleep 0.5
    done
    sleep 1
    erased=$(compose run --rm tools influence log erase --db /log --handle forget.me 2>&1) ||
        docker_failed "erase: $erased"
    [[ $erased =~ 3\ rows\ erased,\ from\ ([2-9]|1[0-9])\ logs ]] || docker_failed "erase: $erased"
    if compose run --rm tools grep -rilE 'forget(.|%2E)me' /log 2>/dev/null; then
        docker_failed "erase: the handle is still in the file above"
    fi
    docker_ok "erase, over the logs of all replicas: ${erased##*$'\n'}, no file mentions the handle"
}

docker_scrape() {
    local up
    for _ in $(seq 60); do
        up=$(curl -fsG "http://127.0.0.1:$PROMETHEUS_PORT/api/v1/query" --data-urlencode 'query=sum(up{job="influenced"})' || true)
        [[ $up == *"\"$REPLICAS\""* ]] && break
        sleep 1
    done
    [[ $up == *"\"$REPLICAS\""* ]] || docker_failed "Prometheus does not scrape $REPLICAS replicas: $up"
    docker_ok "Prometheus scrapes all $REPLICAS replicas"
}

# A replica whose disk is full drops rows, and Prometheus says so by the rule as it ships.
docker_alert() {
    local port replica alerts=
    port=$(free_port)
    replica=$(docker run -d --network influence-test_default --network-alias influenced \
        -v influence-test_models:/models:ro --tmpfs /tiny:size=128k,mode=1777 -p "127.0.0.1:$port:8080" \
        -e INFLUENCED_LOG_PATH=/tiny/requests.db influenced --log.queue_bytes=65536)
    for _ in $(seq 60); do
        for _ in $(seq 100); do
            curl -s -o /dev/null -d '{"followers": 12000, "posts": 80}' "http://127.0.0.1:$port/score" || true
        done
        alerts=$(curl -fs "http://127.0.0.1:$PROMETHEUS_PORT/api/v1/alerts" || true)
        [[ $alerts == *'"alertname":"InfluencedLogDropsRows"'*'"state":"firing"'* ]] && break
        sleep 1
    done
    docker rm -f "$replica" >/dev/null
    [[ $alerts == *'"alertname":"InfluencedLogDropsRows"'*'"state":"firing"'* ]] ||
        docker_failed "the rule on dropped rows does not fire: $alerts"
    docker_ok "rows dropped on a full disk raise InfluencedLogDropsRows"
}

command_docker_test() {
    docker info >/dev/null 2>&1 || die "docker-test: no Docker engine answers (DOCKER_HOST=${DOCKER_HOST:-})"
    export PORT=${PORT:-$(free_port)} PROMETHEUS_PORT=${PROMETHEUS_PORT:-$(free_port)} HAPROXY_IMAGE PROMETHEUS_IMAGE
    HAPROXY_IMAGE=$(image_or haproxy:2.8.10 haproxy)
    PROMETHEUS_IMAGE=$(image_or prom/prometheus:v2.53.2 prometheus)
    timeout 60 docker pull -q grafana/grafana:11.1.4 >/dev/null 2>&1 ||
        say "docker-test: skipped: grafana/grafana:11.1.4 cannot be had"
    docker_images
    trap 'compose down -v >/dev/null 2>&1; docker rmi influenced:before influenced:next >/dev/null 2>&1' EXIT
    # What a test that was interrupted left behind.
    compose down -v >/dev/null 2>&1 || true
    compose up -d --no-build --scale influenced=$REPLICAS train influenced haproxy prometheus >/dev/null 2>&1 || {
        compose logs --tail 20 >&2
        docker_failed "the stack does not come up"
    }
    docker_wait
    docker_scrape
    docker_upgrade
    docker_kill
    docker_erase
    docker_alert
    say "docker-test: passed"
}

# Images from one file; versions come from Debian 12, and the build is the same one that ./dev runs.
#   docker build -t influenced .                      the daemon: no compiler, no trainer, not root
#   docker build -t influence --target trainer .      the offline command

FROM debian:bookworm-slim AS build
RUN apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends \
        gcc libc6-dev meson ninja-build pkg-config nodejs npm ca-certificates \
        libarchive-dev libcjson-dev libcsv-dev libcurl4-openssl-dev libgsl-dev libigraph-dev libinih-dev \
        libgnutls28-dev libmicrohttpd-dev libpq-dev libsqlite3-dev libxgboost-dev libxxhash-dev nettle-dev \
        zlib1g-dev \
    && rm -rf /var/lib/apt/lists/*
# A certificate file for npm, where the network needs one of its own.
ARG NODE_EXTRA_CA_CERTS
WORKDIR /src
COPY . .
RUN meson setup /build --buildtype=debugoptimized -Doptimization=2 -Dtests=disabled --prefix=/usr --strip \
    && meson install -C /build --destdir /out

# Lists and caches of apt are most of what a small package adds to an image: none stays.
FROM debian:bookworm-slim AS trainer
RUN apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends \
        ca-certificates libarchive13 libcjson1 libcsv3 libcurl4 libgsl27 libigraph3 libinih1 libnettle8 \
        libpq5 libsqlite3-0 libxgboost0 zlib1g \
    && rm -rf /var/lib/apt/lists/* /var/cache/apt/* /var/log/* && useradd --system --uid 10001 influence \
    && install -d -o influence /models /data /log
COPY --from=build /out/usr/bin/influence /usr/bin/
USER 10001
WORKDIR /data
ENTRYPOINT ["influence"]

FROM debian:bookworm-slim AS daemon
RUN apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends \
        libcjson1 libgnutls30 libinih1 libmicrohttpd12 libnettle8 libsqlite3-0 zlib1g \
    && rm -rf /var/lib/apt/lists/* /var/cache/apt/* /var/log/* && useradd --system --uid 10001 influence \
    && install -d -o influence /models /var/lib/influence
COPY --from=build /out/usr/bin/influenced /usr/bin/
USER 10001
WORKDIR /var/lib/influence
# From the environment, so that --health asks the daemon that runs. %h: replicas may share the volume. TMPDIR:
# long replies wait there, and the root may be read-only.
ENV INFLUENCED_SERVER_LISTEN=0.0.0.0:8080 INFLUENCED_MODELS_PATH=/models \
    INFLUENCED_LOG_PATH=/var/lib/influence/requests-%h.db TMPDIR=/var/lib/influence
EXPOSE 8080
VOLUME ["/models", "/var/lib/influence"]
HEALTHCHECK --interval=10s --timeout=5s --start-period=10s CMD ["influenced", "--health"]
ENTRYPOINT ["influenced"]

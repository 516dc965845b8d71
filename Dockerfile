# Three images from one file:
#   docker build -t influenced .                      the daemon: no compiler, no trainer, not root
#   docker build -t influence --target trainer .      the offline command
# Versions come from Debian 12; the build is the same one that ./dev runs.

FROM debian:bookworm-slim AS build
RUN apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends \
        gcc libc6-dev meson ninja-build pkg-config nodejs npm ca-certificates \
        libarchive-dev libcjson-dev libcsv-dev libcurl4-openssl-dev libgsl-dev libigraph-dev libinih-dev \
        libgnutls28-dev libmicrohttpd-dev libsqlite3-dev libxgboost-dev libxxhash-dev nettle-dev zlib1g-dev \
    && rm -rf /var/lib/apt/lists/*
# A certificate file for npm, where the network needs one of its own.
ARG NODE_EXTRA_CA_CERTS
WORKDIR /src
COPY . .
RUN meson setup /build --buildtype=debugoptimized -Doptimization=2 -Dtests=disabled --prefix=/usr --strip \
    && meson install -C /build --destdir /out

FROM debian:bookworm-slim AS trainer
RUN apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends \
        ca-certificates libarchive13 libcjson1 libcsv3 libcurl4 libgsl27 libigraph3 libinih1 libnettle8 \
        libsqlite3-0 libxgboost0 zlib1g \
    && rm -rf /var/lib/apt/lists/* && useradd --system --uid 10001 influence \
    && install -d -o influence /models /data
COPY --from=build /out/usr/bin/influence /usr/bin/
USER influence
WORKDIR /data
ENTRYPOINT ["influence"]

FROM debian:bookworm-slim AS daemon
RUN apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends \
        libcjson1 libgnutls30 libinih1 libmicrohttpd12 libnettle8 libsqlite3-0 \
    && rm -rf /var/lib/apt/lists/* && useradd --system --uid 10001 influence \
    && install -d -o influence /models /var/lib/influence
COPY --from=build /out/usr/bin/influenced /usr/bin/
USER influence
WORKDIR /var/lib/influence
EXPOSE 8080
VOLUME ["/models", "/var/lib/influence"]
ENTRYPOINT ["influenced"]
CMD ["--server.listen=0.0.0.0:8080", "--models.path=/models", "--log.path=/var/lib/influence/requests.db"]

# An extension image for CloudNativePG (PostgreSQL 18 and later), which mounts it beside its own:
#   docker build -f packaging/docker/cloudnative-pg.Dockerfile --build-arg PG_MAJOR=18 -t idgen:1.0.0-18-trixie .
# packaging/docker/cluster.yaml is a cluster with it. The release of Debian must be that of the server's image,
# whose libraries count. (dev/image --cloudnative-pg runs these steps without Docker.)
ARG PG_MAJOR=18
ARG DEBIAN=trixie

FROM postgres:${PG_MAJOR}-${DEBIAN} AS build
ARG PG_MAJOR
RUN apt-get update && apt-get install -y --no-install-recommends \
    g++ make pkg-config libpq-dev postgresql-server-dev-${PG_MAJOR}
COPY . /idgen
RUN make -C /idgen -j"$(nproc)" with_llvm=no PG_CONFIG=/usr/lib/postgresql/${PG_MAJOR}/bin/pg_config \
    install DESTDIR=/image

# The modules for etcd and ZooKeeper are left out: the server's image does not have their libraries.
FROM scratch
ARG PG_MAJOR
COPY --from=build /image/usr/lib/postgresql/${PG_MAJOR}/lib/ /lib/
COPY --from=build /image/usr/share/postgresql/${PG_MAJOR}/extension/ /share/extension/
COPY LICENSE /licenses/idgen/LICENSE

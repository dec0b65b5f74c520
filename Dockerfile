# syntax=docker/dockerfile:1
# A static program and the public authorities, nothing else: no shell, no libraries, no root. See docs/deploy/README.md.

FROM rust:1.95-alpine3.23 AS build
# the authorities that HTTPS is checked against; a C compiler, for SQLite, zstd and ring
# hadolint ignore=DL3018
RUN apk add --no-cache ca-certificates gcc musl-dev
WORKDIR /src
COPY . .
# Programs of this image's target are static; one that is not would not start in an empty image.
RUN --mount=type=cache,target=/usr/local/cargo/registry \
    --mount=type=cache,target=/src/target \
    cargo build --release --locked --bin groundswell \
 && mkdir -p /image/usr/local/bin /image/etc/groundswell /image/var/lib/groundswell \
 && strip -o /image/usr/local/bin/groundswell target/release/groundswell \
 && readelf -lW /image/usr/local/bin/groundswell >/tmp/headers \
 && ! grep -w INTERP /tmp/headers

FROM scratch
ARG VERSION=0.1.0
LABEL org.opencontainers.image.title="groundswell" \
      org.opencontainers.image.description="Hears a hostile story about a brand while it is still small" \
      org.opencontainers.image.licenses="MIT" \
      org.opencontainers.image.version="${VERSION}"
COPY --from=build /image/usr/local/bin/groundswell /usr/local/bin/groundswell
# without them no client for HTTPS is made, and so not even that of `status`
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/ca-certificates.crt
COPY --from=build /image/etc/groundswell /etc/groundswell
# a volume made here belongs to who writes in it
COPY --from=build --chown=65532:65532 /image/var/lib/groundswell /var/lib/groundswell
USER 65532:65532
WORKDIR /var/lib/groundswell
VOLUME ["/etc/groundswell", "/var/lib/groundswell"]
EXPOSE 9464
STOPSIGNAL SIGTERM
# ready: every source is heard, the engine keeps up, everything is recorded
HEALTHCHECK --interval=30s --timeout=10s --start-period=60s --retries=3 \
  CMD ["/usr/local/bin/groundswell", "status", "-c", "/etc/groundswell/groundswell.yaml"]
ENTRYPOINT ["/usr/local/bin/groundswell"]
CMD ["run", "-c", "/etc/groundswell/groundswell.yaml"]

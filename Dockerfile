# One static binary (stripped, without the embedded Temporal and its UI) on distroless: CA certificates, time zones, no
# shell. Build: make image, or docker compose build. BuildKit is needed, for its caches.
#
# The first three arguments name the bases, for who keeps copies of them. PROGRAM names the stage, or an image, that
# has /hookloop: e2e/docker brings one that it has built outside.
ARG DEBIAN=debian:bookworm-slim
ARG GO=golang:1.26.8-alpine
ARG BASE=gcr.io/distroless/static-debian12:nonroot
ARG PROGRAM=build

# Debian's root certificates of today: the base image's may be older.
FROM ${DEBIAN} AS certificates
RUN apt-get update && apt-get install -y --no-install-recommends ca-certificates

# They are copied but for those that are distrusted since.
FROM ${GO} AS roots
WORKDIR /src
ENV GOTOOLCHAIN=local CGO_ENABLED=0
COPY deploy/roots/main.go .
COPY --from=certificates /etc/ssl/certs/ca-certificates.crt /debian.crt
RUN --mount=type=cache,target=/root/.cache/go-build go run main.go /debian.crt /roots.crt

FROM ${GO} AS build
WORKDIR /src
ENV GOTOOLCHAIN=local CGO_ENABLED=0
COPY go.mod go.sum ./
COPY internal/engine/absent internal/engine/absent
RUN --mount=type=cache,target=/go/pkg/mod go mod download
COPY . .
ARG VERSION=dev
RUN --mount=type=cache,target=/go/pkg/mod --mount=type=cache,target=/root/.cache/go-build \
    go build -tags noembed -trimpath -buildvcs=false -ldflags "-s -w -X main.version=$VERSION" -o /hookloop ./cmd/hookloop

FROM ${PROGRAM} AS program

FROM ${BASE}
COPY --from=program /hookloop /hookloop
COPY --from=roots /roots.crt /etc/ssl/certs/ca-certificates.crt
USER nonroot
ENTRYPOINT ["/hookloop"]
CMD ["serve"]

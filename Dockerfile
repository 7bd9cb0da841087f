# Debian's root certificates of today, but for those that are distrusted since: the base image's may be older.
FROM debian:bookworm-slim AS certificates
RUN apt-get update && apt-get install -y --no-install-recommends ca-certificates

# One static binary of 49 MiB (stripped, without the embedded Temporal and its UI) on distroless: CA certificates,
# time zones, no shell. Build: make image.
FROM golang:1.26.8-alpine AS build
WORKDIR /src
ENV GOTOOLCHAIN=local CGO_ENABLED=0
COPY go.mod go.sum ./
RUN --mount=type=cache,target=/go/pkg/mod go mod download
COPY . .
ARG VERSION=dev
COPY --from=certificates /etc/ssl/certs/ca-certificates.crt /debian.crt
RUN --mount=type=cache,target=/go/pkg/mod --mount=type=cache,target=/root/.cache/go-build \
    go run ./deploy/roots /debian.crt /roots.crt && \
    go build -tags noembed -trimpath -buildvcs=false -ldflags "-s -w -X main.version=$VERSION" -o /hookloop ./cmd/hookloop

FROM gcr.io/distroless/static-debian12:nonroot
COPY --from=build /hookloop /hookloop
COPY --from=build /roots.crt /etc/ssl/certs/ca-certificates.crt
USER nonroot
ENTRYPOINT ["/hookloop"]
CMD ["serve"]

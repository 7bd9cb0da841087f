# DRAFT, like docker-compose.yml: not yet exercised.
FROM golang:1.26.8-alpine AS build
WORKDIR /src
ENV GOTOOLCHAIN=local CGO_ENABLED=0
COPY go.mod go.sum ./
RUN go mod download
COPY . .
ARG VERSION=dev
RUN go build -trimpath -buildvcs=false -ldflags "-s -w -X main.version=$VERSION" -o /hookloop ./cmd/hookloop

FROM alpine:3.22
RUN apk add --no-cache ca-certificates tzdata \
    && adduser -u 1000 -D hookloop \
    && install -d -o hookloop -g hookloop -m 700 /var/lib/hookloop /var/lib/hookloop-key
COPY --from=build /hookloop /usr/local/bin/hookloop
USER hookloop
ENTRYPOINT ["hookloop"]
CMD ["serve"]

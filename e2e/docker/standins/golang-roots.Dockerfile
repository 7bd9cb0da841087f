# The stand-in for Go, with the root certificates of this machine: `go mod download` speaks TLS.
ARG GO
FROM ${GO}
COPY ca-certificates.crt /etc/ssl/certs/

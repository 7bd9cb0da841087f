# In the place of golang:…-alpine: the Go that is installed outside. The context is GOROOT.
ARG DEBIAN
FROM ${DEBIAN}
COPY . /usr/local/go
ENV PATH=/usr/local/go/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin GOPATH=/go

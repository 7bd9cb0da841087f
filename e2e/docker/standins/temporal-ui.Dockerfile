# In the place of temporalio/ui: the program, its settings and its script, from the Go proxy.
ARG DEBIAN
FROM ${DEBIAN}
RUN apt-get update && apt-get install -y --no-install-recommends busybox && rm -rf /var/lib/apt/lists/* && \
    ln -s /bin/busybox /usr/local/bin/wget && groupadd --gid 1000 temporal && useradd --uid 1000 --gid 1000 temporal
WORKDIR /home/ui-server
COPY ui-server start-ui-server.sh ./
COPY docker.yaml ./config/docker.yaml
USER temporal
EXPOSE 8080
ENTRYPOINT ["./start-ui-server.sh"]

# In the place of temporalio/server: the program and the entrypoint that Temporal's image has, from the Go proxy, with
# busybox, which is all that Alpine brings for them.
ARG DEBIAN
FROM ${DEBIAN}
RUN apt-get update && apt-get install -y --no-install-recommends busybox && rm -rf /var/lib/apt/lists/* && \
    busybox --install -s /usr/local/bin && ln -sf /bin/busybox /bin/sh && groupadd --gid 1000 temporal && useradd --uid 1000 --gid 1000 temporal
COPY temporal-server /usr/local/bin/
COPY entrypoint.sh /etc/temporal/entrypoint.sh
WORKDIR /etc/temporal
USER temporal
CMD ["/etc/temporal/entrypoint.sh"]

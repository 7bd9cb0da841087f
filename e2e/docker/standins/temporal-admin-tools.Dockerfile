# In the place of temporalio/admin-tools: the one tool of it that is used here.
ARG DEBIAN
FROM ${DEBIAN}
RUN groupadd --gid 1000 temporal && useradd --uid 1000 --gid 1000 temporal
COPY temporal-sql-tool /usr/local/bin/
USER temporal
CMD ["sh", "-c", "trap exit INT HUP TERM; sleep infinity & wait"]

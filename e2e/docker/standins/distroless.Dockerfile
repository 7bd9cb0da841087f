# In the place of distroless/static: users, time zones and an empty folder for temporary files, no shell, no C library.
ARG DEBIAN
FROM ${DEBIAN} AS debian
RUN groupadd --gid 65532 nonroot && useradd --uid 65532 --gid 65532 --home-dir /home/nonroot --create-home nonroot && mkdir /empty && chmod 1777 /empty

FROM scratch
COPY --from=debian /etc/passwd /etc/group /etc/nsswitch.conf /etc/
COPY --from=debian /usr/share/zoneinfo /usr/share/zoneinfo
COPY --from=debian /empty /tmp
USER nonroot

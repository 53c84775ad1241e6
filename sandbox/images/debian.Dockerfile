# A sandbox image for projects of any other kind: the system's tools, and an empty /env for what set-up brings.
ARG BASE
FROM ${BASE}
COPY heal /opt/heal
RUN sh /opt/heal/install debian
ENV PATH=/env/bin:/opt/heal/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
    LANG=C.UTF-8 DEBIAN_FRONTEND=noninteractive
WORKDIR /ws
ENTRYPOINT ["/opt/heal/heal-init"]

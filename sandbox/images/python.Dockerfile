# A sandbox image for Python projects. /env is filled into a new volume when an environment is prepared.
ARG BASE
FROM ${BASE}
COPY heal /opt/heal
RUN sh /opt/heal/install python
ENV PATH=/env/bin:/opt/heal/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
    VIRTUAL_ENV=/env LANG=C.UTF-8 DEBIAN_FRONTEND=noninteractive
WORKDIR /ws
ENTRYPOINT ["/opt/heal/heal-init"]

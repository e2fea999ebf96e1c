# A site in a container, as an ordinary user. Port numbers are those of the site file; publish them on loopback.
FROM python:3.13-slim AS build
WORKDIR /source
COPY pyproject.toml README.md LICENSE ./
COPY virtual_digiware ./virtual_digiware
RUN python -m pip wheel --no-cache-dir --wheel-dir /wheels .

FROM python:3.13-slim
LABEL org.opencontainers.image.title="Virtual Digiware" \
      org.opencontainers.image.description="A simulated DIRIS Digiware metering installation; independent of Socomec" \
      org.opencontainers.image.licenses="Apache-2.0"
COPY --from=build /wheels /wheels
RUN python -m pip install --no-cache-dir --no-index --find-links /wheels virtual-digiware \
 && rm -rf /wheels \
 && useradd --system --uid 10001 --create-home --home-dir /home/digiware digiware \
 && install -d -o digiware -g digiware /var/lib/vdigiware
COPY docker/container.yaml /etc/vdigiware/container.yaml
USER 10001
WORKDIR /var/lib/vdigiware
VOLUME /var/lib/vdigiware
EXPOSE 1502 1503
ENV PYTHONUNBUFFERED=1
HEALTHCHECK --interval=10s --timeout=3s --start-period=30s --retries=3 \
  CMD ["python", "-c", "import socket; socket.create_connection(('127.0.0.1', 1502), 2).close()"]
STOPSIGNAL SIGTERM
ENTRYPOINT ["vdigiware"]
CMD ["run", "/etc/vdigiware/container.yaml", "--port-base", "1502", "--journal", "/var/lib/vdigiware/site.journal"]

# syntax=docker/dockerfile:1
# The worker of `python -m agent start`:   docker build -t voice-agent .
# What a trial needs beside it:            docker build -t voice-agent-trial --target trial .
# scripts/container-check runs these steps without a container engine, in a clean Debian.

# ── The locked environment; what builds it stays behind ──────────────────────────────────────────────────────────────
FROM debian:bookworm-slim AS build
RUN apt-get update \
 && apt-get install -y --no-install-recommends ca-certificates python3 python3-venv
RUN python3 -m venv /opt/agent
COPY requirements-worker.lock /build/
RUN --mount=type=cache,target=/root/.cache/pip \
    /opt/agent/bin/pip install --quiet --require-hashes --only-binary=:all: -r /build/requirements-worker.lock \
 && /opt/agent/bin/pip uninstall --quiet --yes setuptools pip \
 && find /opt/agent -type d -name tests -prune -exec rm -rf {} + \
 && rm -f /opt/agent/bin/activate* /opt/agent/bin/Activate.ps1

# ── A trial's page ───────────────────────────────────────────────────────────────────────────────────────────────────
FROM node:22-bookworm-slim AS page
WORKDIR /page
COPY agent/dev/page/package.json agent/dev/page/package-lock.json ./
RUN npm ci
COPY agent/dev/page/ ./
RUN npm run build

# ── A trial's environment, with the local models ─────────────────────────────────────────────────────────────────────
FROM build AS build-trial
COPY requirements-trial.lock /build/
RUN python3 -m venv --clear /opt/agent
RUN --mount=type=cache,target=/root/.cache/pip \
    /opt/agent/bin/pip install --quiet --require-hashes --only-binary=:all: -r /build/requirements-trial.lock

# ── What every image has ─────────────────────────────────────────────────────────────────────────────────────────────
FROM debian:bookworm-slim AS base
RUN apt-get update \
 && apt-get install -y --no-install-recommends ca-certificates python3 \
 && rm -rf /var/lib/apt/lists/* /var/cache/apt/* /var/log/* \
 && useradd --uid 10001 --user-group --home-dir /nonexistent --shell /usr/sbin/nologin agent \
 && install -d -o agent -g agent -m 0700 /data
WORKDIR /app
ENV PATH=/opt/agent/bin:/usr/local/bin:/usr/bin:/bin \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    DATA_DIR=/data \
    LOG_FORMAT=json

# ── A trial: the chat server, its page, and the local models, on 127.0.0.1 ───────────────────────────────────────────
FROM base AS trial
COPY --from=build-trial /opt/agent /opt/agent
COPY agent /app/agent
COPY plugins /app/plugins
COPY --from=page /page/dist /app/agent/dev/page/dist
USER 10001:10001
VOLUME /data
ENTRYPOINT ["python", "-m", "agent"]

# ── The worker ───────────────────────────────────────────────────────────────────────────────────────────────────────
FROM base AS worker
COPY --from=build /opt/agent /opt/agent
COPY agent /app/agent
COPY plugins /app/plugins
RUN rm -rf /app/agent/dev/page \
 && python -m compileall -q /app
ENV WORKER_HOST=0.0.0.0 \
    WORKER_PORT=8081
USER 10001:10001
VOLUME /data
EXPOSE 8081
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s --retries=3 \
    CMD ["python", "-m", "agent.worker.health_check"]
ENTRYPOINT ["python", "-m", "agent"]
CMD ["start"]

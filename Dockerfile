# A small image: build with the lock file, run as a user without rights on a read-only root.
#   docker run --read-only --tmpfs /tmp -v casebridge:/data -p 8080:8080 casebridge
# Where there is no container engine, scripts/check_container.sh keeps the same promises in a mount namespace.
FROM python:3.11-slim-bookworm AS build
RUN pip install --no-cache-dir 'uv>=0.9'
WORKDIR /app
COPY pyproject.toml uv.lock README.md LICENSE ./
RUN uv sync --frozen --no-dev --no-install-project
COPY service service
COPY fhir_profiles fhir_profiles
COPY migrations migrations
RUN uv sync --frozen --no-dev && .venv/bin/python -m compileall -q service

FROM python:3.11-slim-bookworm
RUN useradd --system --uid 10001 --home-dir /data casebridge && mkdir /data && chown casebridge /data
COPY --from=build /app /app
WORKDIR /app
USER 10001
ENV PATH=/app/.venv/bin:$PATH PYTHONDONTWRITEBYTECODE=1 CASEBRIDGE_DATA_DIR=/data
VOLUME /data
EXPOSE 8080
HEALTHCHECK --interval=30s --timeout=5s CMD python -c "import urllib.request as u; u.urlopen('http://127.0.0.1:8080/health/ready', timeout=4)"
CMD ["casebridge", "serve", "--host", "0.0.0.0", "--port", "8080"]

# This image runs the HTTP service, without TensorFlow. Build it in the repository's root: docker build -f deploy/api.Dockerfile .
FROM python:3.11-slim-bookworm AS build
WORKDIR /build
COPY requirements/build.txt requirements/service.txt requirements/
RUN python -m venv /opt/build \
 && /opt/build/bin/pip install --no-cache-dir --disable-pip-version-check --require-hashes -r requirements/build.txt \
 && python -m venv /opt/convscope \
 && /opt/convscope/bin/pip install --no-cache-dir --disable-pip-version-check --require-hashes -r requirements/service.txt
COPY pyproject.toml README.md LICENSE ./
COPY schemas schemas
COPY catalog catalog
COPY processes processes
COPY telemetry telemetry
COPY rendering rendering
COPY decoding decoding
COPY jobstore jobstore
COPY service service
COPY workers workers
COPY cli cli
# With the Python client, `convscope` also has its commands: run, models, jobs and others.
COPY client/python client/python
RUN /opt/build/bin/pip wheel --no-cache-dir --no-deps --no-build-isolation --wheel-dir dist . ./client/python \
 && /opt/convscope/bin/pip install --no-cache-dir --no-deps dist/*.whl

FROM python:3.11-slim-bookworm
RUN useradd --uid 10001 --user-group --no-create-home --shell /usr/sbin/nologin convscope \
 && install --directory --owner convscope --group convscope /data /models
COPY --from=build /opt/convscope /opt/convscope
ENV PATH=/opt/convscope/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    CONVSCOPE_HOST=0.0.0.0 \
    CONVSCOPE_PORT=8000 \
    CONVSCOPE_DATA_DIR=/data \
    CONVSCOPE_MODELS_DIR=/models \
    CONVSCOPE_MODELS_FILE=/models/models.toml
USER 10001
WORKDIR /data
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=5s --start-period=20s --retries=3 \
  CMD ["python", "-c", "from urllib.request import urlopen; urlopen('http://127.0.0.1:8000/livez', timeout=4)"]
# Callers need no key unless CONVSCOPE_AUTH=required is set. The one who publishes the port decides who can reach it.
CMD ["convscope", "api", "--insecure"]

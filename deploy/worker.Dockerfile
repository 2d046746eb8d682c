# This image runs the workers. Build it in the repository's root: docker build -f deploy/worker.Dockerfile --build-arg DEVICE=cpu .
# DEVICE=gpu installs TensorFlow with its CUDA libraries. The host then needs NVIDIA's driver and container toolkit.
FROM python:3.11-slim-bookworm AS build
ARG DEVICE=cpu
WORKDIR /build
COPY requirements/build.txt requirements/worker-${DEVICE}.txt requirements/
RUN python -m venv /opt/build \
 && /opt/build/bin/pip install --no-cache-dir --disable-pip-version-check --require-hashes -r requirements/build.txt \
 && python -m venv /opt/convscope \
 && /opt/convscope/bin/pip install --no-cache-dir --disable-pip-version-check --require-hashes -r requirements/worker-${DEVICE}.txt
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
# The weights of keras.applications are downloaded once, to the data volume.
ENV PATH=/opt/convscope/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    TF_CPP_MIN_LOG_LEVEL=2 \
    KERAS_HOME=/data/keras \
    MPLCONFIGDIR=/tmp/matplotlib \
    CONVSCOPE_DATA_DIR=/data \
    CONVSCOPE_MODELS_DIR=/models \
    CONVSCOPE_MODELS_FILE=/models/models.toml \
    CONVSCOPE_WORKER_METRICS_PORT=9100
USER 10001
WORKDIR /data
HEALTHCHECK --interval=10s --timeout=5s --start-period=120s --retries=3 \
  CMD ["python", "-c", "from urllib.request import urlopen; urlopen('http://127.0.0.1:9100/metrics', timeout=4)"]
CMD ["convscope", "worker"]

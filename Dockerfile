# basegate in a small image: no root, data in a volume, a health check.
#
#   docker build --tag basegate .
#   docker run --publish 127.0.0.1:5000:5000 --volume basegate-data:/data basegate
#
# BASE is any image with Python >= 3.11 and its venv module; where no package index is reached, put the wheels of
# requirements.txt into wheels/ and build with --build-arg PIP_OPTIONS="--no-index --find-links wheels".
# For several nodes (docs/cluster.md): --build-arg REQUIREMENTS=requirements-cluster.txt.
ARG BASE=python:3.13-slim

FROM ${BASE} AS build
ARG PIP_OPTIONS=""
ARG REQUIREMENTS=requirements.txt
WORKDIR /source
RUN python3 -m venv /opt/basegate
COPY ${REQUIREMENTS} wheel[s] ./wheels/
RUN /opt/basegate/bin/python -m pip install --no-cache-dir --require-hashes --requirement wheels/${REQUIREMENTS} ${PIP_OPTIONS}
COPY pyproject.toml README.md LICENSE ./
COPY registry registry
COPY policy policy
COPY config/openapi.yaml config/openapi.yaml
COPY config/policy config/policy
# setuptools builds and is then of no more use; pip neither.
RUN /opt/basegate/bin/python -m pip install --no-cache-dir --no-deps --no-build-isolation --no-index . \
 && /opt/basegate/bin/python -m pip uninstall --quiet --yes setuptools pip

FROM ${BASE}
COPY --from=build /opt/basegate /opt/basegate
# Some bases come without the bytecode of Python's own library, and the server's user cannot write it: imported once, it
# is kept.
RUN PYTHONDONTWRITEBYTECODE= /opt/basegate/bin/python -c "import policy.cli.serve, policy.inspection.worker.main, registry.server.healthcheck, jwt, uvloop; from policy.web.environment import compile_all; compile_all()" \
 && mkdir -m 0700 /data /data/keys && chown 10001:10001 /data /data/keys
ENV PATH=/opt/basegate/bin:$PATH PYTHONUNBUFFERED=1 BASEGATE_DATA=/data BASEGATE_LISTEN=0.0.0.0:5000
USER 10001:10001
VOLUME /data
EXPOSE 5000
HEALTHCHECK --interval=10s --timeout=5s --start-period=20s --retries=3 \
    CMD ["python3", "-m", "registry.server.healthcheck"]
ENTRYPOINT ["basegate"]
CMD ["serve"]

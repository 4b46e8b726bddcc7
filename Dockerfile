# Joulemark with its frameworks. The steps are those of the README's line that measures; docs/docker.md says how to run it.
FROM debian:12-slim

# `frameworks` for CPUs; `gpu`, or `gpu,jax-gpu`, for NVIDIA GPUs: their wheels bring CUDA, the host its driver.
ARG EXTRAS=frameworks
# Another index to look for packages in, such as that of PyTorch's builds for CPUs, which save several GB.
ARG PIP_EXTRA_INDEX_URL=
# The package's version, which otherwise comes from git: the image gets no `.git`.
ARG SETUPTOOLS_SCM_PRETEND_VERSION=
ENV PIP_NO_CACHE_DIR=1

# Versions are Debian's. The compiler and the headers are for `--mode compile`, at run time.
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install -y --no-install-recommends python3-venv python3-dev g++ \
    && rm -rf /var/lib/apt/lists/*

WORKDIR /joulemark
COPY . .
RUN python3 -m venv .venv && .venv/bin/pip install -c constraints.txt ".[${EXTRAS}]"

# What NVIDIA's container toolkit passes in: CUDA, and NVML for the power sensors.
ENV NVIDIA_VISIBLE_DEVICES=all NVIDIA_DRIVER_CAPABILITIES=compute,utility

# Run files and pages; any user may write here, so that `docker run --user` works too.
ENV JOULEMARK_HOME=/runs
RUN useradd --uid 1000 --create-home joulemark && mkdir --mode 1777 /runs
USER 1000:1000
WORKDIR /runs
ENTRYPOINT ["/joulemark/.venv/bin/joulemark"]
CMD ["run"]

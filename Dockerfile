# The controller's image: built in one stage, run in another that has neither compiler nor package manager's cache.
# Runs as a user without rights, on a read-only root file system, and writes nothing.

FROM python:3.13-slim AS build
ENV UV_COMPILE_BYTECODE=1 UV_LINK_MODE=copy UV_PYTHON_DOWNLOADS=never
RUN pip install --no-cache-dir uv==0.13.9
WORKDIR /src
# Dependencies first: they change less often than the code.
COPY pyproject.toml uv.lock README.md ./
RUN uv sync --frozen --no-default-groups --extra uvloop --no-install-project
COPY rollouts ./rollouts
RUN uv sync --frozen --no-default-groups --extra uvloop --no-editable

FROM python:3.13-slim
LABEL org.opencontainers.image.title="rollouts" \
      org.opencontainers.image.description="Progressive delivery for Kubernetes: canaries that explain themselves" \
      org.opencontainers.image.licenses="Apache-2.0"
COPY --from=build /src/.venv /src/.venv
ENV PATH=/src/.venv/bin:$PATH PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1
USER 65532:65532
EXPOSE 8080 8090
ENTRYPOINT ["rollouts"]
CMD ["controller"]

# Marquee as one image: the web server by default, worker, beat and commands by another command.
# docker-compose.yml runs them together; docs/operations.md says how.

FROM python:3.11.13-slim-bookworm AS packages
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
RUN python -m venv /opt/venv
WORKDIR /build
COPY requirements.txt requirements-lock.txt ./
RUN /opt/venv/bin/pip install --no-input -r requirements.txt

FROM python:3.11.13-slim-bookworm
ENV PATH=/opt/venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    HOME=/tmp \
    DJANGO_SETTINGS_MODULE=recommender_site.settings.prod \
    OPENBLAS_NUM_THREADS=1 \
    ARTIFACT_DIR=/artifacts \
    VECTOR_DIR=/artifacts/vectors \
    CORPUS_DIR=/corpora \
    WEB_BIND=0.0.0.0:8000
# implicit fits on several cores by it. Debian keeps one version of it in a release.
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install --yes --no-install-recommends libgomp1 \
    && rm -rf /var/lib/apt/lists/*
RUN useradd --system --uid 10001 --no-create-home --shell /usr/sbin/nologin marquee \
    && install --directory --owner=marquee --group=marquee /artifacts \
    && install --directory --owner=marquee --group=marquee --mode=0700 /corpora
COPY --from=packages /opt/venv /opt/venv
WORKDIR /srv/marquee
COPY manage.py ./
COPY recommender_site recommender_site
COPY apps apps
COPY templates templates
COPY static static
COPY docker/healthcheck.py docker/healthcheck.py
# The values are made up for this one command and stay out of the image: nothing is connected to or signed.
RUN SECRET_KEY=for-collecting-files-alone ALLOWED_HOSTS=localhost DATABASE_URL=sqlite://:memory: \
    python manage.py collectstatic --no-input -v0
USER 10001
VOLUME ["/artifacts", "/corpora"]
EXPOSE 8000
HEALTHCHECK --interval=30s --timeout=5s --start-period=30s --retries=3 \
    CMD ["python", "docker/healthcheck.py", "web"]
CMD ["gunicorn", "-c", "python:recommender_site.web", "recommender_site.wsgi"]

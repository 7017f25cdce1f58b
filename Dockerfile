# One image for every Airflow component and the hub's receiver; which of them a container is, its command says:
#   api-server | scheduler | dag-processor | triggerer | celery worker     (airflow …)
#   python -m throughline.receiver --host 0.0.0.0 --port 8090
FROM apache/airflow:3.3.2-python3.12

# The official image runs as the user `airflow` already; nothing below needs more.
USER airflow
WORKDIR /opt/airflow

# Airflow itself stays what the base image is: the lock pins the same version and refuses any other, hash by hash.
COPY --chown=airflow:root requirements.txt /tmp/requirements.txt
RUN grep -q "^apache-airflow==${AIRFLOW_VERSION} " /tmp/requirements.txt \
 && uv pip install --no-cache --no-deps --require-hashes --requirement /tmp/requirements.txt \
 && rm /tmp/requirements.txt

COPY --chown=airflow:root pyproject.toml README.md LICENSE ./
COPY --chown=airflow:root plugins plugins
RUN uv pip install --no-cache --no-deps --editable .
COPY --chown=airflow:root dags dags
COPY --chown=airflow:root include include

ENV PYTHONPATH=/opt/airflow \
    THROUGHLINE_INCLUDE=/opt/airflow/include \
    AIRFLOW__CORE__AUTH_MANAGER=airflow.providers.fab.auth_manager.fab_auth_manager.FabAuthManager \
    AIRFLOW__CORE__DAGS_FOLDER=/opt/airflow/dags \
    AIRFLOW__CORE__PLUGINS_FOLDER=/opt/airflow/plugins \
    AIRFLOW__CORE__LOAD_EXAMPLES=False \
    AIRFLOW__CORE__SENSITIVE_VAR_CONN_NAMES=permanent_code,apptoken \
    AIRFLOW__SCHEDULER__SCHEDULER_IDLE_SLEEP_TIME=0.1 \
    AIRFLOW__WORKERS__EXECUTION_API_TIMEOUT=60

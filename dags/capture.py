"""A DAG per connected system: what changed there, into the ledger (`include/systems`).

Airflow reads only files in which it finds its own name and the word dag.
"""

from throughline.orchestration.builders.capture import capture_dags

for dag in capture_dags():
    globals()[dag.dag_id] = dag

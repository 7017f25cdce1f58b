"""A DAG per flow: each step a task, each run a sweep over all documents (`include/flows`).

Airflow reads only files in which it finds its own name and the word dag.
"""

from throughline.orchestration.builders.flows import flow_dags

for dag in flow_dags():
    globals()[dag.dag_id] = dag

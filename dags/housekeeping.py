"""Every night: room for next month, leases of the dead, what has been parked for long, messages read long ago.

And at the hour each system declares: everything it has, against the ledger. Airflow reads only files in which it finds
its own name and the word dag.
"""

from throughline.orchestration.builders.housekeeping import housekeeping_dag
from throughline.orchestration.builders.snapshots import snapshot_dags

housekeeping = housekeeping_dag()
for dag in snapshot_dags():
    globals()[dag.dag_id] = dag

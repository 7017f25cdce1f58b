"""Every night: room for next month, leases of the dead, what has been parked for long, messages read long ago.

Airflow reads only files in which it finds its own name and the word dag.
"""

from throughline.orchestration.builders.housekeeping import housekeeping_dag

dag = housekeeping_dag()

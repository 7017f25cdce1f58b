"""One machine, nothing else assumed: PostgreSQL from a wheel, the plant, Airflow, started by one command."""

"""Everything Airflow: connection types, hooks, operators, sensors, triggers and the builders behind `dags/`.

This file imports nothing: Airflow reads `provider_info` while it is still reading its own configuration.
"""

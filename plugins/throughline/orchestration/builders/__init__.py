"""Builds the DAGs of `dags/` from what a plant declares in `include/`: nothing is opened, nothing heavy is imported."""

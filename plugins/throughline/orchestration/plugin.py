"""What Airflow loads into every one of its components: so far only the name, so that it is seen to be there."""

from __future__ import annotations

from airflow.plugins_manager import AirflowPlugin


class ThroughlinePlugin(AirflowPlugin):  # type: ignore[misc]  # Airflow is not typed here
    """Throughline inside Airflow. Whatever route is added here must depend on `requires_authenticated`."""

    name = "throughline"

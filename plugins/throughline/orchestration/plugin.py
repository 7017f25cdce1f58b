"""What Airflow loads into every one of its components: the name, so that it is seen to be there, and warm tasks."""

from __future__ import annotations

from typing import Any

from airflow.plugins_manager import AirflowPlugin

from throughline.orchestration import preloading


class ThroughlinePlugin(AirflowPlugin):  # type: ignore[misc]  # Airflow is not typed here
    """Throughline inside Airflow. Whatever route is added here must depend on `requires_authenticated`."""

    name = "throughline"

    @classmethod
    def on_load(cls, *_: Any, **__: Any) -> None:
        """Once in every component, before a scheduler forks its workers."""
        if preloading.is_a_parent_of_tasks():
            preloading.preload()

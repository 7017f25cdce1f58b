"""Lets tasks start warm: whatever a worker's parent process has imported and read, its forked tasks have too.

Airflow's LocalExecutor forks its workers from the scheduler, and each task from a worker; Celery forks from its main
process. Plugins are loaded before that. Every other component stays small.
"""

from __future__ import annotations

import logging
import sys

log = logging.getLogger(__name__)
PARENTS_OF_TASKS = frozenset({"scheduler", "celery"})


def is_a_parent_of_tasks(arguments: list[str] | None = None) -> bool:
    """Whether this process is one from which tasks are forked (`airflow scheduler`, `airflow celery worker`)."""
    return any(word in PARENTS_OF_TASKS for word in (sys.argv if arguments is None else arguments)[1:3])


def preload() -> None:
    """Import and read what every task needs; what cannot be read now is told by the task that needs it."""
    try:
        from throughline.orchestration import (  # noqa: F401 - imported to be there
            composition,
            declared,
            hub,
            single_delivery,
            stock,
        )
        from throughline.orchestration.builders import capture, flows, housekeeping  # noqa: F401 - imported to be there
        from throughline.process import ledger_registry, translator_words  # noqa: F401 - imported to be there

        declared.read_everything()
    except Exception as error:  # noqa: BLE001 - a wrong file must not keep the scheduler from starting
        log.warning("tasks start cold: %s", error)

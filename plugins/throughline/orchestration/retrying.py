"""What Airflow does when a whole task fails: our errors say by their kind whether trying again makes sense.

One document's trouble never fails a task (the ledger parks it). What arrives here concerns all of them: the ledger or a
system is away, or somebody has to mend a file.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from airflow.sdk import ExceptionRetryPolicy, RetryAction, RetryRule

from throughline.errors import Fenced, Misconfigured, Rejected, Transient

POLICY = ExceptionRetryPolicy(
    rules=[
        RetryRule(Transient, RetryAction.RETRY, timedelta(seconds=15), "not just now: tried again by itself"),
        RetryRule(Misconfigured, RetryAction.FAIL, reason="a file, an address or a secret must be mended by a person"),
        RetryRule(Rejected, RetryAction.FAIL, reason="the target understood and refused"),
        RetryRule(Fenced, RetryAction.RETRY, timedelta(seconds=1), "another worker holds the lease now"),
    ]
)

DEFAULTS: dict[str, Any] = {
    "owner": "throughline",
    "retries": 3,
    "retry_delay": timedelta(seconds=15),
    "retry_policy": POLICY,
}

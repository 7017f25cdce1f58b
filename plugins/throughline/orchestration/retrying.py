"""What Airflow does when a whole task fails: our errors say by their kind whether trying again makes sense.

One document's trouble never fails a sweep (the ledger parks it). What arrives here concerns all of them: the ledger or
a system is away, or somebody has to mend a file.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from airflow.sdk import ExceptionRetryPolicy, RetryAction, RetryRule

from throughline.errors import Fenced, InDoubt, Invalid, Misconfigured, Rejected, Transient

if TYPE_CHECKING:
    from airflow.sdk.definitions.retry_policy import RetryDecision

SHORTLY = timedelta(seconds=15)


class AsTheErrorSays(ExceptionRetryPolicy):  # type: ignore[misc]  # Airflow is not typed here
    """Rules by the kind of error; a system that named the time to wait is taken at its word."""

    def evaluate(
        self, exception: BaseException, try_number: int, max_tries: int, context: Any = None
    ) -> RetryDecision:  # fmt: skip
        """Whether to try again, and when."""
        decision = super().evaluate(exception, try_number, max_tries, context)
        if isinstance(exception, Transient) and exception.retry_after:
            return replace(decision, retry_delay=timedelta(seconds=exception.retry_after))
        return decision


POLICY = AsTheErrorSays(
    rules=[
        RetryRule(Transient, RetryAction.RETRY, SHORTLY, "not just now: tried again by itself"),
        RetryRule(InDoubt, RetryAction.RETRY, SHORTLY, "the target is asked before anything is sent again"),
        RetryRule(Misconfigured, RetryAction.FAIL, reason="a file, an address or a secret must be mended by a person"),
        RetryRule(Rejected, RetryAction.FAIL, reason="the target understood and refused"),
        RetryRule(Invalid, RetryAction.FAIL, reason="the document does not fit"),
        RetryRule(Fenced, RetryAction.RETRY, timedelta(seconds=1), "another worker holds the lease now"),
    ]
)

DEFAULTS: dict[str, Any] = {"owner": "throughline", "retries": 3, "retry_delay": SHORTLY, "retry_policy": POLICY}

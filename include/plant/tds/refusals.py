"""What PostgreSQL refuses, in SQL Server's numbers and words."""

from __future__ import annotations

import psycopg

from include.plant.tds.translation import Refused

_NUMBERS = {
    "42P01": (208, "Invalid object name.", 16),
    "42703": (207, "Invalid column name.", 16),
    "42883": (195, "This is not a recognized built-in function name.", 15),
    "42601": (102, "Incorrect syntax.", 15),
    "42501": (229, "The SELECT permission was denied on the object.", 14),
    "23505": (2627, "Violation of UNIQUE KEY constraint. Cannot insert duplicate key in object.", 14),
    "23502": (515, "Cannot insert the value NULL into column; column does not allow nulls.", 16),
    "23503": (547, "The statement conflicted with the FOREIGN KEY constraint.", 16),
    "23514": (547, "The statement conflicted with the CHECK constraint.", 16),
    "40P01": (1205, "Transaction was deadlocked and has been chosen as the deadlock victim. Rerun it.", 13),
    "40001": (3960, "Snapshot isolation transaction aborted due to update conflict.", 16),
    "55P03": (1222, "Lock request time out period exceeded.", 16),
    "22P02": (245, "Conversion failed when converting a value to another data type.", 16),
    "22007": (241, "Conversion failed when converting date and/or time from character string.", 16),
    "22012": (8134, "Divide by zero error encountered.", 16),
    "22001": (8152, "String or binary data would be truncated.", 16),
    "22003": (8115, "Arithmetic overflow error.", 16),
    "25006": (3906, "Failed to update database because the database is read-only.", 16),
}
LOGIN_FAILED, NO_SUCH_DATABASE = 18456, 4060


def refusal(error: psycopg.Error) -> Refused:
    """The same refusal as SQL Server tells it; PostgreSQL's own words follow in brackets."""
    number, text, severity = _NUMBERS.get(error.sqlstate or "", (50000, "The plant's database refused.", 16))
    first = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
    return Refused(number, f"{text} ({first})", severity)

"""What Airflow asks an installed provider: which connection types it brings and how their forms look.

Plain data, so that the API server draws the forms without importing a hook (`conn-fields`, `ui-field-behaviour`).
"""

from __future__ import annotations

from typing import Any

from throughline.orchestration.connection_forms import FORMS, Form

PACKAGE = "throughline"
HOOKS = "throughline.orchestration.hooks"


def _connection_type(form: Form) -> dict[str, Any]:
    return {
        "connection-type": form.connection_type,
        "hook-class-name": f"{HOOKS}.{form.hook}",
        "hook-name": form.title,
        "ui-field-behaviour": {
            "hidden-fields": list(form.hidden),
            "relabeling": dict(form.labels),
            "placeholders": dict(form.placeholders),
        },
        "conn-fields": {field.name: field.described() for field in form.extra},
    }


def get_provider_info() -> dict[str, Any]:
    """Everything Airflow needs to know about Throughline as a provider."""
    return {
        "package-name": PACKAGE,
        "name": "Throughline 贯通",
        "description": "An integration hub for manufacturers: documents captured once, written once in effect.",
        "connection-types": [_connection_type(form) for form in FORMS],
    }

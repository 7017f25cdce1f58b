"""Airflow finds the provider, its connection types and the plugin once, and can draw the forms without our code."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from throughline.connectors import registry
from throughline.orchestration import hooks
from throughline.orchestration.connection_forms import FORMS
from throughline.orchestration.provider_info import get_provider_info

TYPES = [form.connection_type for form in FORMS]


def test_the_metadata_is_what_airflow_accepts() -> None:
    import airflow
    import jsonschema

    schemas = Path(airflow.__file__).parent
    info = get_provider_info()
    jsonschema.validate(info, json.loads((schemas / "provider_info.schema.json").read_text()))
    described = json.loads((schemas / "provider.yaml.schema.json").read_text())["properties"]["connection-types"]
    jsonschema.validate(info["connection-types"], described)


@pytest.mark.parametrize("form", FORMS, ids=TYPES)
def test_every_form_leads_to_its_hook(form) -> None:
    hook = getattr(hooks, form.hook)
    assert hook.conn_type == form.connection_type
    assert hook.hook_name == form.title
    assert hook().__dict__[hook.conn_name_attr] == hook.default_conn_name
    assert callable(hook.test_connection)


@pytest.mark.parametrize("form", FORMS, ids=TYPES)
def test_secrets_are_asked_for_in_password_fields_and_labels_speak_both_languages(form) -> None:
    for field in form.extra:
        looks_secret = any(word in field.name for word in ("secret", "token", "code", "password"))
        assert field.secret == looks_secret, field.name
        assert (field.described()["schema"].get("format") == "password") == field.secret
    assert "extra" in form.hidden
    for label in (*form.labels.values(), *(field.label for field in form.extra)):
        assert any("\u4e00" <= letter <= "\u9fff" for letter in label), label


@pytest.mark.parametrize("form", [form for form in FORMS if form.product], ids=lambda form: form.connection_type)
def test_a_form_asks_for_everything_its_product_needs(form) -> None:
    products = set(registry.products())
    family = {name for name in products if name.split("_")[0] == form.product.split("_")[0]} or {form.product}
    for product in family:
        needed = set(registry.profile_of(product).requires)
        assert needed <= {field.name for field in form.extra}, f"{product} needs {needed}"


def test_airflow_finds_provider_forms_and_plugin_exactly_once() -> None:
    """In a process of its own, as a component sees it: entry points, not imports, must lead Airflow to us."""
    answer = subprocess.run([sys.executable, "-c", _LOOK], check=True, capture_output=True, text=True).stdout
    found = json.loads(answer.splitlines()[-1])
    assert found["providers"] == 1
    assert found["types"] == sorted(TYPES)
    assert found["forms"] == sorted(TYPES)
    assert found["plugins"] == ["throughline"]
    assert found["permanent_code"] is True
    assert found["our_hooks_imported"] is False
    assert found["bare_modules"] == []


_LOOK = """
import json, sys, warnings
warnings.simplefilter("ignore")
from airflow.providers_manager import ProvidersManager
manager = ProvidersManager()
manager.initialize_providers_list()
providers = [name for name in manager.providers if "throughline" in name]
import airflow.api_fastapi.core_api.services.ui.connections as page
forms = {form.connection_type: form for form in page.HookMetaService.hook_meta_data()}
imported = "throughline.orchestration.hooks" in sys.modules
types = sorted(name for name, hook in manager.hooks.items() if hook and name.startswith("throughline"))
from airflow import plugins_manager
plugins, errors = plugins_manager._get_plugins()
ours = [plugin.name for plugin in plugins if plugin.name == "throughline"]
doubled = "already registered"  # setuptools leaves plugins/throughline.egg-info beside an editable install
assert all(doubled in sentence for sentence in errors.values()), errors
field = forms["throughline_fxiaoke"].extra_fields["permanent_code"]
print(json.dumps({
    "providers": len(providers), "types": types, "forms": sorted(name for name in forms if name.startswith("through")),
    "plugins": ours, "permanent_code": field["schema"]["format"] == "password", "our_hooks_imported": imported,
    "bare_modules": sorted(set(sys.modules) & {"hooks", "ledger", "provider_info", "composition", "assets"}),
}))
"""

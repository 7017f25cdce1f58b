"""`python -m throughline.local_platform.plant_setup`: the ERP's database with its master data, made once."""

from __future__ import annotations

from throughline.errors import Misconfigured
from throughline.local_platform.plant import tryton_server
from throughline.local_platform.settings import load_settings


def main() -> None:
    """Prepare the Tryton server of this instance."""
    settings = load_settings()
    if settings is None:
        raise Misconfigured("there is no instance here: start it with `throughline up`", where="THROUGHLINE_STATE")
    tryton_server(settings).prepare(hub_password=settings.secrets["erp_password"])


if __name__ == "__main__":
    main()

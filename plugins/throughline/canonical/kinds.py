"""Every kind of business document there is, by name."""

from __future__ import annotations

from throughline.canonical.documents import DOCUMENTS as TRADING
from throughline.canonical.documents import CanonicalDocument
from throughline.canonical.invoicing import INVOICING
from throughline.canonical.purchasing import PURCHASING

DOCUMENTS: dict[str, type[CanonicalDocument]] = {
    **TRADING,
    **{model.kind: model for model in (*PURCHASING, *INVOICING)},
}

"""How one emulator is set up: who may log in, how long tokens live, how strict its limits are."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

_LOGINS = {"fxiaoke": "FSAID_plant", "black_lake": "cli_plant", "flux": "plant-wms-key",
           "weaver_ecology": "plant-oa-app", "kingdee_cloud": "plant_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
           "xieke_srm": "plant-srm-key", "seeyon": "rest-hub",
           "dingtalk_robot": "plant-robot-token", "wecom_robot": "wecom", "feishu_robot": "plant-hook-token",
           "sms_gateway": "plant-sms"}  # fmt: skip
_KINDS: dict[str, type[str] | type[int] | type[float]] = {"str": str, "int": int, "float": float}
_CALLS_ALLOWED = {"fxiaoke": (2000, 20.0), "xieke_srm": (1, 30.0)}
"""So many calls of each API in so many seconds."""
_LIFE = {"weaver_ecology": 1800, "seeyon": 900}


@dataclass
class Settings:
    """Everything that can be chosen for an emulator; `--option name=value` sets any of the plain ones."""

    product: str
    state: Path
    login: str = ""
    secret: str = ""
    callback: str = ""
    permanent_code: str = "plant-permanent-code"
    ea: str = "huadong"
    users: str = "1000,1001"
    apptoken: str = "plant-wms-token"
    customer_id: str = "HDJX"
    warehouse_id: str = "WH01"
    client_db: str = "FLUXWMSJSON"
    company_code: str = "HDJX"
    acct_id: str = "acct0000000001"
    token_seconds: float = 0
    same_token_seconds: float = 6600
    token_calls_per_minute: int = 10
    rate_calls: int = -1
    rate_seconds: float = 0
    clock_offset_seconds: float = 0
    lag_seconds: float = 0
    late_seconds: float = 0
    """each record shows up to so much later than it was stamped, one sooner, another later"""
    max_skew_seconds: float = 0
    hold_seconds: float = 30
    retry_first_seconds: float = 0.5
    retry_max_seconds: float = 60
    callback_timeout: float = 10
    callback_parallel: int = 8

    def __post_init__(self) -> None:
        """Fill in what differs by product: the login, the secret from the environment, the vendor's limit."""
        self.login = self.login or _LOGINS[self.product]
        self.secret = self.secret or os.environ.get("PLANT_SECRET", "") or f"plant-{self.product}-secret"
        self.token_seconds = self.token_seconds or _LIFE.get(self.product, 7200)
        if self.rate_calls < 0:
            self.rate_calls = _CALLS_ALLOWED.get(self.product, (0, 20.0))[0]
        self.rate_seconds = self.rate_seconds or _CALLS_ALLOWED.get(self.product, (0, 20.0))[1]

    def change(self, wishes: Mapping[str, Any]) -> None:
        """Take new values for plain settings, each as the type it has; an unknown name is an error."""
        kinds = {field.name: _KINDS[str(field.type)] for field in fields(self) if str(field.type) in _KINDS}
        for name, value in wishes.items():
            if name not in kinds:
                raise ValueError(f"there is no setting {name!r}; choose from {', '.join(sorted(kinds))}")
            setattr(self, name, kinds[name](value))

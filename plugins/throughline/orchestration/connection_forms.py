"""The forms of the connection page: one per product, labelled in English and Chinese.

A form only relabels what Airflow stores anyway (host, login, password) and names what else a product needs; the values
end in `Connection.extra` under the field's name.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Field:
    """One thing a product needs beyond address, user and password."""

    name: str
    label: str
    hint: str = ""
    secret: bool = False
    switch: bool = False
    default: str | bool | None = None

    def described(self) -> dict[str, Any]:
        """The field as Airflow's form wants it (a JSON schema with a label)."""
        schema: dict[str, Any] = {"type": ["boolean" if self.switch else "string", "null"]}
        if self.secret:
            schema["format"] = "password"
        if self.default is not None:
            schema["default"] = self.default
        described: dict[str, Any] = {"label": self.label, "schema": schema}
        if self.hint:
            described["description"] = self.hint
        return described


@dataclass(frozen=True)
class Form:
    """How the connection of one product is asked for."""

    connection_type: str
    title: str
    hook: str
    product: str
    labels: Mapping[str, str]
    placeholders: Mapping[str, str] = field(default_factory=dict)
    hidden: tuple[str, ...] = ("port", "schema", "extra")
    extra: tuple[Field, ...] = ()


FXIAOKE = Form(
    "throughline_fxiaoke",
    "Fxiaoke CRM 纷享销客",
    "FxiaokeHook",
    "fxiaoke",
    {"host": "Address 地址", "login": "App id 应用 ID", "password": "App secret 应用密钥"},
    {"host": "https://open.fxiaoke.com", "login": "FSAID_…"},
    extra=(
        Field("permanent_code", "Permanent code 永久授权码", "Of the company that installed the app.", secret=True),
        Field("ea", "Company account 企业账号", "The company's account name in Fxiaoke."),
        Field("user_id", "Acting user 操作人", "The user in whose name the hub reads and writes.", default="1000"),
    ),
)
TRYTON = Form(
    "throughline_tryton",
    "Tryton (ERP, WMS)",
    "TrytonHook",
    "tryton_erp",
    {"host": "Address 地址", "login": "User 用户", "password": "Password 密码"},
    {"host": "http://erp.example:8000", "login": "hub"},
    extra=(Field("database", "Database 账套", "The database trytond serves under this address."),),
)
BLACK_LAKE = Form(
    "throughline_black_lake",
    "Black Lake MES 黑湖",
    "BlackLakeHook",
    "black_lake",
    {"host": "Address 地址", "login": "App key 应用 Key", "password": "App secret 应用密钥"},
    {"host": "https://v3-ali.blacklake.cn", "login": "cli_…"},
)
FLUX = Form(
    "throughline_flux",
    "FLUX WMS 富勒",
    "FluxHook",
    "flux",
    {"host": "Address 地址", "login": "App key 应用 Key", "password": "Signing secret 签名密钥"},
    {"host": "http://wms.example:19192"},
    extra=(
        Field("apptoken", "App token 应用令牌", secret=True),
        Field("customer_id", "Owner of the goods 货主", "customerId in FLUX."),
        Field("warehouse_id", "Warehouse 仓库", "warehouseId in FLUX."),
        Field("client_db", "Client database 客户库", "client_db in FLUX.", default="FLUXWMSJSON"),
        Field("sign_upper", "Upper-case signature 签名大写", "Some sites do not.", switch=True, default=True),
    ),
)
SMTP = Form(
    "throughline_smtp",
    "Outgoing mail 发信",
    "SmtpHook",
    "smtp",
    {"host": "Mail server 邮件服务器", "login": "User 用户", "password": "Password 密码", "port": "Port 端口"},
    {"host": "smtp.example", "port": "587"},
    hidden=("schema", "extra"),
    extra=(
        Field("from_email", "Sender 发件人", "The address customers see."),
        Field("disable_tls", "No STARTTLS 不用 STARTTLS", switch=True, default=False),
        Field("disable_ssl", "No TLS from the start 不用 SSL 直连", switch=True, default=True),
    ),
)
LEDGER = Form(
    "throughline_ledger",
    "Throughline ledger 贯通台账",
    "LedgerHook",
    "",
    {"host": "Server 服务器", "schema": "Database 数据库", "login": "User 用户", "password": "Password 密码"},
    {"host": "127.0.0.1", "port": "5432", "schema": "throughline"},
    hidden=("extra",),
    extra=(Field("audit_secret", "Audit secret 审计密钥", "Signs the audit's nightly heads.", secret=True),),
)

FORMS: tuple[Form, ...] = (FXIAOKE, TRYTON, BLACK_LAKE, FLUX, SMTP, LEDGER)

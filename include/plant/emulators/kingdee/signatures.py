"""Kingdee's two signatures of every call, checked for real; and its sessions, one for each user."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from collections.abc import Callable, Mapping
from urllib.parse import quote

from include.plant.emulators.calls import Call, Refused
from include.plant.emulators.settings import Settings

_MASK = b"0054f397c6234378b09ca7d3e5debce7"
LOST, MISMATCH = "会话信息已丢失，请重新登录", "002005000003016"


def hex_mac(text: str, key: str) -> str:
    """base64 of the lower-case hex of an HMAC-SHA256, as the vendor wants it."""
    return base64.b64encode(hmac.new(key.encode(), text.encode(), hashlib.sha256).hexdigest().encode()).decode()


def client_secret(app_id: str) -> tuple[str, str]:
    """The client's id and its secret, both hidden in the application's id."""
    client, _, segment = app_id.partition("_")
    if len(segment) != 32:
        return client, ""
    plain = bytes(a ^ b for a, b in zip(base64.b64decode(segment), _MASK, strict=False))
    return client, base64.b64encode(plain).decode()


class Doorman:
    """Lets signed calls and sessions in; whoever logs in ends the session the same user had."""

    def __init__(self, settings: Settings, clock: Callable[[], int]) -> None:
        self._settings, self._clock = settings, clock
        self._sessions: dict[str, str] = {}

    def log_in(self, told: Mapping[str, object]) -> tuple[dict[str, object], dict[str, str]]:
        """`LoginByAppSecret`: a session, and the cookie that carries it."""
        known = (told.get("acctId"), told.get("appId"), told.get("appSecret"))
        if known != (self._settings.acct_id, self._settings.login, self._settings.secret):
            code = 0 if known[0] != self._settings.acct_id else 2
            return {"LoginResultType": code, "Message": "用户名或密码错误", "MessageCode": MISMATCH,
                    "IsSuccessByAPI": False}, {}  # fmt: skip
        session = secrets.token_hex(12)
        self._sessions[str(told.get("username"))] = session
        answer: dict[str, object] = {"LoginResultType": 1, "Message": None, "MessageCode": "", "IsSuccessByAPI": True,
                  "KDSVCSessionId": session, "Context": {"SessionId": session}}  # fmt: skip
        return answer, {"set-cookie": f"kdservice-sessionid={session}; path=/"}

    def forget(self) -> None:
        """Every session is over."""
        self._sessions.clear()

    def check(self, call: Call) -> None:
        """`Refused` unless the call is signed rightly or brings a session that is still good."""
        session = call.headers.get("kdservice-sessionid") or _cookie(call.headers.get("cookie", ""))
        if "x-kd-signature" not in call.headers:
            if session not in self._sessions.values():
                raise Refused(1, LOST)
            return
        self._check_signatures(call)

    def _check_signatures(self, call: Call) -> None:
        told = {name: call.headers.get(f"x-{name}", "") for name in (
            "api-timestamp", "api-nonce", "api-signature", "api-clientid", "kd-appkey", "kd-appdata", "kd-signature",
        )}  # fmt: skip
        client, secret = client_secret(self._settings.login)
        path = quote(call.path).replace("/", "%2F")
        stamped = f"x-api-nonce:{told['api-nonce']}\nx-api-timestamp:{told['api-timestamp']}\n"
        try:
            data = base64.b64decode(told["kd-appdata"]).decode()
            skew = abs(self._clock() // 1000 - int(told["api-timestamp"]))
        except ValueError:
            raise Refused(1, f"签名信息不完整 {MISMATCH}") from None
        rightly = (
            told["api-clientid"] == client
            and told["kd-appkey"] == self._settings.login
            and data.partition(",")[0] == self._settings.acct_id
            and hmac.compare_digest(told["api-signature"], hex_mac(f"POST\n{path}\n\n{stamped}", secret))
            and hmac.compare_digest(told["kd-signature"], hex_mac(told["kd-appkey"] + data, self._settings.secret))
        )
        if not rightly:
            raise Refused(1, f"签名校验失败 {MISMATCH}")
        if skew > (self._settings.max_skew_seconds or 900):
            raise Refused(1, f"签名已过期 {MISMATCH}")


def _cookie(header: str) -> str:
    pairs = (part.strip().partition("=") for part in header.split(";"))
    return next((value for name, _, value in pairs if name == "kdservice-sessionid"), "")

"""A short-message gateway: POST /sms/v1/send, text in UCS-2, signed; one message a minute to one number."""

from __future__ import annotations

import hashlib
import hmac
import re
from typing import Any

from include.plant.emulators.calls import Answer, Call, Refused
from include.plant.emulators.channels.sent import Channel, same

_MOBILE = re.compile(r"^1\d{10}$")
_MOST_PARTS = 8
_MINUTE, _HOUR, _DAY = 60_000, 3_600_000, 86_400_000
_ALLOWED = ((_MINUTE, 1), (_HOUR, 5), (_DAY, 10))


class SmsGateway(Channel):
    """The login is the account; nothing is kept that was not signed for."""

    limit = 6000

    def take(self, call: Call) -> Answer:
        """Account, moment and signature first, then the number and the text."""
        body = call.json()
        told = {name: str(body.get(name) or "") for name in ("account", "mobile", "content", "timestamp", "sign")}
        self._signed(told)
        if call.path == "/sms/v1/balance":
            return Answer({"code": "OK", "message": "", "left": 1000})
        if call.path != "/sms/v1/send":
            raise Refused("PATH", "unknown address")
        text = _text(told["content"])
        parts = 1 if len(text) <= 70 else -(-len(text) // 67)
        self._deliverable(told["mobile"], text, parts, body)
        number = self.keep({"text": text, "mobile": told["mobile"], "parts": parts}, to=told["mobile"])
        return Answer({"code": "OK", "message": "", "message_id": number})

    def refusal(self, no: Refused) -> Answer:
        """The gateway's names."""
        return Answer({"code": no.code, "message": no.message})

    def too_many(self) -> Refused:
        """The gateway's code."""
        return Refused("LIMIT", "发送过于频繁")

    def _signed(self, told: dict[str, str]) -> None:
        if not same(told["account"], self.settings.login):
            raise Refused("ACCOUNT", "账号不存在")
        if not self.in_time(told["timestamp"]):
            raise Refused("TIME", "时间戳无效")
        lines = "\n".join(told[name] for name in ("account", "mobile", "content", "timestamp"))
        expected = hmac.new(self.settings.secret.encode(), lines.encode(), hashlib.sha256).hexdigest()
        if not same(told["sign"], expected):
            raise Refused("SIGN", "签名错误")

    def _deliverable(self, mobile: str, text: str, parts: int, body: dict[str, Any]) -> None:
        if not _MOBILE.match(mobile):
            raise Refused("NUMBER", "手机号码无效")
        if body.get("encoding") != "UCS2" or not text:
            raise Refused("ENCODING", "编码错误")
        if parts > _MOST_PARTS or body.get("parts") != parts:
            raise Refused("LENGTH", "短信长度错误")
        if any(self.sent_since(span, mobile) >= most for span, most in _ALLOWED):
            raise self.too_many()


def _text(content: str) -> str:
    """The text two bytes at a time; a half of a pair is no character of UCS-2."""
    try:
        units = bytes.fromhex(content)
    except ValueError:
        raise Refused("ENCODING", "编码错误") from None
    codes = [int.from_bytes(units[at : at + 2]) for at in range(0, len(units), 2)]
    if len(units) % 2 or any(0xD800 <= code < 0xE000 for code in codes):
        raise Refused("ENCODING", "编码错误")
    return "".join(map(chr, codes))

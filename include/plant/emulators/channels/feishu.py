"""Feishu's robot: POST /open-apis/bot/v2/hook/<token>, stamp and signature in the body; 100 a minute."""

from __future__ import annotations

import base64
import hashlib
import hmac
import re

from include.plant.emulators.calls import Answer, Call, Refused
from include.plant.emulators.channels.sent import Channel, same

_HOOK = "/open-apis/bot/v2/hook/"
_MOST_BYTES = 20_000
_MENTION = re.compile(r'<at user_id="([^"]+)"></at>')


class FeishuRobot(Channel):
    """One robot of one group; the login is the token in its address."""

    limit = 100

    def take(self, call: Call) -> Answer:
        """Token first, then the signature, then the content."""
        if not call.path.startswith(_HOOK) or not same(call.path.removeprefix(_HOOK), self.settings.login):
            raise Refused(19001, "param invalid: incoming webhook access token invalid")
        body = call.json()
        self._signed(str(body.get("timestamp", "")), str(body.get("sign", "")))
        content = body.get("content")
        text = content.get("text") if isinstance(content, dict) else None
        if body.get("msg_type") != "text" or not isinstance(text, str) or not text or len(call.body) > _MOST_BYTES:
            raise Refused(9499, "Bad Request")
        mentioned = _MENTION.findall(text)
        self.keep({"text": text, "mentioned": mentioned}, to=",".join(mentioned))
        return Answer({"code": 0, "msg": "success", "data": {}})

    def refusal(self, no: Refused) -> Answer:
        """Feishu's names."""
        return Answer({"code": no.code, "msg": no.message, "data": {}})

    def too_many(self) -> Refused:
        """The vendor's code."""
        return Refused(11232, "frequency limited")

    def _signed(self, timestamp: str, given: str) -> None:
        key = f"{timestamp}\n{self.settings.secret}".encode()
        expected = base64.b64encode(hmac.digest(key, b"", hashlib.sha256)).decode()
        if not self.in_time(timestamp) or not same(given, expected):
            raise Refused(19021, "sign match fail or timestamp is not within one hour from current time")

"""DingTalk's robot: POST /robot/send with token, stamp and signature in the query; 20 messages a minute."""

from __future__ import annotations

import base64
import hashlib
import hmac

from include.plant.emulators.calls import Answer, Call, Refused
from include.plant.emulators.channels.sent import Channel, same

_MOST_BYTES = 20_000


class DingtalkRobot(Channel):
    """One robot of one group; the login is its access token."""

    def take(self, call: Call) -> Answer:
        """Token first, then the signature, then the content, as the vendor does."""
        if call.path != "/robot/send" or call.method != "POST":
            raise Refused(404, "请求的URI地址不存在")
        if not same(call.query.get("access_token", ""), self.settings.login):
            raise Refused(300005, "token is not exist")
        self._signed(call.query.get("timestamp", ""), call.query.get("sign", ""))
        if len(call.body) > _MOST_BYTES:
            raise Refused(460101, "message too long, exceed 20000 bytes")
        body = call.json()
        text = body.get("text")
        content = text.get("content") if isinstance(text, dict) else None
        if body.get("msgtype") != "text" or not isinstance(content, str) or not content:
            raise Refused(40035, "缺少参数 json")
        mobiles = (body.get("at") or {}).get("atMobiles") or []
        self.keep({"text": content, "mentioned": mobiles}, to=",".join(map(str, mobiles)))
        return Answer({"errcode": 0, "errmsg": "ok"})

    def too_many(self) -> Refused:
        """Silent for ten minutes in real life; here until the minute is over."""
        return Refused(130101, "send too fast, exceed 20 times per minute")

    def _signed(self, timestamp: str, given: str) -> None:
        secret = self.settings.secret
        digest = hmac.digest(secret.encode(), f"{timestamp}\n{secret}".encode(), hashlib.sha256)
        if not self.in_time(timestamp, 1000):
            raise Refused(310000, "invalid timestamp")
        if not same(given, base64.b64encode(digest).decode()):
            raise Refused(310000, "sign not match")

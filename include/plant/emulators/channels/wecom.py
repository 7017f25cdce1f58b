"""WeCom's robot: POST /cgi-bin/webhook/send with its key; texts of 2048 bytes, 20 a minute."""

from __future__ import annotations

from include.plant.emulators.calls import Answer, Call, Refused
from include.plant.emulators.channels.sent import Channel, same

_MOST_BYTES = 2048


class WecomRobot(Channel):
    """One robot of one group; the secret is its key."""

    def take(self, call: Call) -> Answer:
        """The key is all that is checked; it is the robot."""
        if call.path != "/cgi-bin/webhook/send" or not same(call.query.get("key", ""), self.settings.secret):
            raise Refused(93000, "invalid webhook url")
        body = call.json()
        if body.get("msgtype") != "text":
            raise Refused(40008, "invalid message type")
        text = body.get("text")
        content = text.get("content") if isinstance(text, dict) else None
        if not isinstance(text, dict) or not isinstance(content, str) or not content:
            raise Refused(44004, "text content is empty")
        if len(content.encode()) > _MOST_BYTES:
            raise Refused(45002, "content size out of limit")
        mentioned = text.get("mentioned_list") or []
        self.keep({"text": content, "mentioned": mentioned}, to=",".join(map(str, mentioned)))
        return Answer({"errcode": 0, "errmsg": "ok"})

    def too_many(self) -> Refused:
        """The vendor's code."""
        return Refused(45009, "api freq out of limit")

"""Carries a message to a person through the system that plays the role of its channel.

`mail`, `dingtalk`, `wecom`, `feishu` and `sms` are roles in include/systems like any other: a product with its profile,
a connection with its secret. The message becomes a canonical notice, the field table writes it in the product's words.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping

from throughline.canonical import Notice
from throughline.connectors.contract import Connector
from throughline.errors import Invalid, Misconfigured
from throughline.mapping.translator import Translator
from throughline.people.telling import Message

_IN_ONE = ("dingtalk", "wecom", "feishu")
"""Channels without a subject line: it becomes the first line of the text."""
_MOST_BYTES = {"wecom": 2048, "dingtalk": 19_000, "feishu": 19_000}
_MORE = "\n……"


class ConnectorPost:
    """Sends messages by connectors; each is opened for one message, so that a thread needs no loop of its own."""

    def __init__(self, products: Mapping[str, str], translator: Translator, open_: Callable[[str], Connector]) -> None:
        self._products, self._translator, self._open = products, translator, open_

    def __call__(self, message: Message) -> None:
        """Send one message once."""
        role = message.channel
        if role not in self._products:
            where = f"person {message.person}"
            raise Misconfigured(f"no system plays the role {role}: add include/systems/{role}.yaml", where=where)
        payload = self._translator.write(self._products[role], role, "notice", _notice(message))
        asyncio.run(self._send(role, payload, message))

    async def _send(self, role: str, payload: Mapping[str, object], message: Message) -> None:
        async with self._open(role) as connector:
            await connector.send("notice", "create", payload, reference=message.key[:32], key=message.key)


def _notice(message: Message) -> Notice:
    try:
        return Notice(
            number=message.key[:32], about=f"person:hub:{message.person}", recipient=message.address,
            subject=message.subject, body=_body(message),
        )  # fmt: skip
    except ValueError as wrong:
        raise Invalid(f"this message cannot be a notice: {wrong}", field="recipient") from None


def _body(message: Message) -> str:
    """The text, with its subject where the channel has none, cut at a line where the channel takes no more."""
    text = f"{message.subject}\n{message.body}" if message.channel in _IN_ONE else message.body
    most = _MOST_BYTES.get(message.channel)
    if most is None or len(text.encode()) <= most:
        return text
    kept, used = [], len(_MORE.encode())
    for line in text.splitlines():
        used += len(line.encode()) + 1
        if used > most:
            break
        kept.append(line)
    return "\n".join(kept) + _MORE

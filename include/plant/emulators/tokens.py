"""Access tokens that really expire and survive a restart of the emulator."""

from __future__ import annotations

import secrets

from include.plant.emulators.document_store import DocumentStore

_KIND = "_token"


class Tokens:
    """Issues tokens and knows which are still good."""

    def __init__(self, store: DocumentStore) -> None:
        self._store = store

    def issue(self, owner: str, lives_seconds: float, *, same_seconds: float = 0) -> tuple[str, int]:
        """A token and the seconds it has left; the newest one again when it is younger than `same_seconds`."""
        now = self._store.clock()
        newest = self._store.select(_KIND, "number=?", (owner,), order="created DESC, id", limit=1)
        if newest and now - newest[0].created < same_seconds * 1000 and now < newest[0].body["until"]:
            return newest[0].key, (newest[0].body["until"] - now) // 1000
        token = secrets.token_hex(24).upper()
        until = now + int(lives_seconds * 1000)
        self._store.insert(_KIND, token, {"until": until}, number=owner)
        return token, int(lives_seconds)

    def owner(self, token: str) -> str | None:
        """Who a token was given to, when it is still good."""
        found = self._store.get(_KIND, token) if token else None
        return found.number if found and self._store.clock() < found.body["until"] else None

    def withdraw_all(self) -> None:
        """Every token is worthless from now on, as after a rotation of the secret."""
        for found in self._store.select(_KIND):
            self._store.remove(found)

    def use(self, token: str, lives_seconds: float) -> None:
        """Somebody used a token that dies of idleness: it lives so much longer from now on."""
        found = self._store.get(_KIND, token)
        if found is not None:
            found.body["until"] = self._store.clock() + int(lives_seconds * 1000)
            self._store.save(found)

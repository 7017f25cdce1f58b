"""e-cology's RSA door: an application registers once and gets a key; its secret and every user id come encrypted."""

from __future__ import annotations

import base64
import binascii

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from include.plant.emulators.calls import Refused


class Keys:
    """One key pair; whoever registers again gets a new one, and what was encrypted before is worthless."""

    def __init__(self) -> None:
        self._pair = rsa.generate_private_key(public_exponent=65537, key_size=2048)

    def renew(self) -> None:
        """Another registration: the old key no longer opens anything."""
        self._pair = rsa.generate_private_key(public_exponent=65537, key_size=2048)

    def public(self) -> str:
        """`spk`: the public key as base64 of its DER, as Java prints it."""
        form = serialization.PublicFormat.SubjectPublicKeyInfo
        return base64.b64encode(self._pair.public_key().public_bytes(serialization.Encoding.DER, form)).decode()

    def opened(self, text: str, what: str) -> str:
        """What was encrypted with our public key, or the vendor's complaint."""
        try:
            return self._pair.decrypt(base64.b64decode(text, validate=True), padding.PKCS1v15()).decode()
        except (ValueError, binascii.Error):
            raise Refused(-1, f"{what}解密失败,请检查加密内容.") from None

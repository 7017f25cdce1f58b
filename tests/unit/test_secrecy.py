"""No spelling of a secret survives the masker."""

from __future__ import annotations

import base64
import io
import json
import logging
from urllib.parse import quote, quote_plus

import pytest

from throughline.secrecy import HIDDEN, Masker, MaskingFilter

CANARIES = ["Kanarie-7f3a", "pässwörd-密码", 'quote"back\\slash', "with space&amp=1", "p@ss/w+rd==", "12345678",
            "line-one-long\nline-two-long", "{{ secret }}", "a'b'c'd'e"]  # fmt: skip


@pytest.mark.parametrize("canary", CANARIES)
def test_every_spelling_is_hidden(canary):
    masker = Masker([canary])
    spellings = [
        canary, quote(canary, safe=""), quote_plus(canary), json.dumps(canary), json.dumps(canary, ensure_ascii=False),
        base64.b64encode(canary.encode()).decode(), repr(canary), f"before{canary}after",
    ]  # fmt: skip
    for spelling in spellings:
        masked = masker.text(f"x {spelling} y")
        assert HIDDEN in masked
        assert canary not in masked
        assert spelling.strip("'\"") not in masked


@pytest.mark.parametrize(
    "text",
    [
        "GET /x?access_token=tok123abc&page=2", '{"appSecret": "s3cr3t-value", "page": 2}',
        "Authorization: Bearer abc.def-123", "cookie: sid=abc", "password=hunter2hunter2",
        "{'client_secret': 'zzzzzz'}", "sign=ABCDEF%3D%3D",
    ],
)  # fmt: skip
def test_what_is_named_like_a_secret_is_hidden(text):
    masked = Masker().text(text)
    assert HIDDEN in masked
    for secret in ("tok123abc", "s3cr3t-value", "abc.def-123", "sid=abc", "hunter2", "zzzzzz", "ABCDEF"):
        assert secret not in masked
    assert ("page" in text) == ("page" in masked)


def test_details_keep_their_shape():
    masker = Masker(["the-secret-value"])
    details = {
        "code": 7,
        "url": "/a?b=the-secret-value",
        "token": "t",
        "inner": [{"password": ""}, b"the-secret-value", None],
    }
    assert masker.details(details) == {
        "code": 7, "url": f"/a?b={HIDDEN}", "token": HIDDEN, "inner": [{"password": ""}, HIDDEN, None],
    }  # fmt: skip


def test_ordinary_words_are_left_alone():
    text = "The order SO-1 was refused: signal lost, designed by hand, tokenless, 12 pcs"
    assert Masker(["", "abc"]).text(text) == text


def test_logs_are_masked_with_their_exceptions():
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.addFilter(MaskingFilter(Masker(["canary-in-the-log"])))
    logger = logging.getLogger("test_secrecy")
    logger.addHandler(handler)
    logger.propagate = False
    try:
        int("canary-in-the-log")
    except ValueError:
        logger.exception("told %s and %s", "canary-in-the-log", {"token": "x"})
    logger.removeHandler(handler)
    assert "canary-in-the-log" not in stream.getvalue()
    assert stream.getvalue().count(HIDDEN) >= 3


def test_only_the_newest_spellings_are_kept():
    masker = Masker()
    for number in range(3000):
        masker.learn(f"token-number-{number}")
    assert HIDDEN in masker.text("token-number-2999")
    assert len(masker._known) <= 2000

"""What every product must keep when it is written to: found again, once in effect, every fault by its consequence."""

from __future__ import annotations

import pytest

from tests.contracts.conftest import Site, fresh
from tests.contracts.specimens import SPECIMENS
from throughline.errors import InDoubt, Misconfigured, RateLimited, Rejected


def creates(site: Site):
    assert site.specimen.creates
    return site.specimen.creates


async def test_what_was_written_is_found_again_and_what_was_not_is_not(site: Site) -> None:
    async with site.connector() as connector:
        for write in creates(site):
            assert await connector.find(write.document, "NO-1") is None
            made = await connector.send(
                write.document, "create", write.payload(site, "NO-1"), reference="NO-1", key="k1"
            )
            found = await connector.find(write.document, "NO-1")
            assert found is not None
            assert (found.their_id, found.number) == (made.their_id, made.number)


async def test_writing_twice_creates_one(site: Site) -> None:
    async with site.connector() as connector:
        for write in creates(site):
            assert connector.objects()[write.document].operations["create"].tier is write.tier
            before = site.count(write.counted)
            first = await connector.send(
                write.document, "create", write.payload(site, "NO-2"), reference="NO-2", key="k2"
            )
            again = await connector.send(
                write.document, "create", write.payload(site, "NO-2"), reference="NO-2", key="k2"
            )
            assert first.their_id == again.their_id
            assert site.count(write.counted) == before + 1


@pytest.mark.parametrize(
    ("fault", "more", "error", "carried_out"),
    [
        ("timeout_before", {"seconds": 3}, InDoubt, False),
        ("timeout_after", {"seconds": 3}, InDoubt, True),
        ("error_5xx", {"status": 502}, InDoubt, False),
        ("error_5xx_after", {"status": 504}, InDoubt, True),
        ("reset", {}, InDoubt, False),
        ("reset_after", {}, InDoubt, True),
        ("html_200", {}, InDoubt, False),
        ("rate_limited", {"retry_after": 7}, RateLimited, False),
        ("rate_limited", {"style": "vendor"}, RateLimited, False),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
async def test_every_fault_of_a_write_has_its_consequence(site: Site, fault, more, error, carried_out) -> None:
    async with site.connector(limits={"answer_seconds": 0.4}) as connector:
        for number, write in enumerate(creates(site)):
            name = f"NO-3-{number}"
            site.fault(fault, match={"method": (write.last if carried_out else "") or write.method}, **more)
            with pytest.raises(error) as caught:
                await connector.send(write.document, "create", write.payload(site, name), reference=name, key=name)
            assert type(caught.value) is error
            assert caught.value.system == site.specimen.role
            if "retry_after" in more:
                assert caught.value.retry_after == 7
            assert (await connector.find(write.document, name) is not None) is carried_out


async def test_a_refusal_is_rejected_with_the_products_own_words(site: Site) -> None:
    async with site.connector() as connector:
        for write in creates(site):
            payload = write.payload(site, "NO-4")
            write.spoil(payload, "NO-SUCH-THING")
            with pytest.raises(Rejected, match="NO-SUCH-THING") as caught:
                await connector.send(write.document, "create", payload, reference="NO-4", key="k4")
            assert type(caught.value) is Rejected
            assert caught.value.code


async def test_a_wrong_secret_names_the_connection_and_shows_no_secret(site: Site) -> None:
    async with site.connector(password="not-the-secret-at-all") as connector:
        for _ in range(3):
            with pytest.raises(Misconfigured, match=f"connection {site.specimen.role}_connection") as caught:
                await connector.test()
            assert "not-the-secret-at-all" not in f"{caught.value} {caught.value.details}"
    assert site.calls().get("token received", 0) == (1 if site.specimen.has_token else 0)


async def test_the_connection_test_says_where_it_got_in(site: Site) -> None:
    async with site.connector() as connector:
        assert site.host in await connector.test()


async def test_a_token_lost_in_the_middle_is_renewed_once(token_site: Site) -> None:
    site = token_site
    async with site.connector() as connector:
        await connector.test()
        site.act("expire_tokens")
        for _ in range(3):
            await connector.test()
    assert site.calls()["token received"] == 2


async def test_a_work_order_is_changed_closed_and_cancelled_and_twice_is_once(start_site) -> None:
    site = fresh(start_site, SPECIMENS[1])
    async with site.connector() as connector:
        for number in ("W-1", "W-2"):
            payload = {"code": number, "materialCode": "FG-100", "plannedAmount": "10", "unit": "pcs"}
            await connector.send("work_order", "create", payload, reference=number, key=number)
        site.act("report", code="W-1", good="3", scrap="0")
        steps = [
            ("W-1", "change", {"code": "W-1", "plannedAmount": "5"}),
            ("W-1", "close", {"code": "W-1", "reason": "gate"}),
            ("W-2", "cancel", {"code": "W-2", "reason": "order cancelled"}),
        ]  # fmt: skip
        for number, operation, payload in steps:
            for _ in range(2):
                assert (
                    await connector.send("work_order", operation, payload, reference=number, key="k")
                ).number == number
        for operation, payload in (("cancel", {"code": "W-1"}), ("change", {"code": "W-1", "plannedAmount": "2"})):
            with pytest.raises(Rejected, match="W-1"):
                await connector.send("work_order", operation, payload, reference="W-1", key="k")
        found = {record.number: record.raw async for page in connector.changes("work_order") for record in page.records}
    assert (found["W-1"]["status"], found["W-1"]["plannedAmount"], found["W-1"]["qualifiedAmount"]) == (5, "5", "3")
    assert found["W-2"]["status"] == 9

"""The CRM emulator against its vendor's protocol, called with plain HTTP."""

from __future__ import annotations

import time
import uuid
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from include.plant.emulators.clients import CrmPeople, PlantRefused

LOGIN = {
    "appId": "FSAID_plant", "appSecret": "plant-fxiaoke-secret", "permanentCode": "plant-permanent-code",
    "grantType": "app_secret",
}  # fmt: skip
LINE = {"item": "FG-100", "quantity": "10", "unit": "pcs", "price": "1150.00"}


def token(url, **changes):
    params = {"thirdTraceId": str(uuid.uuid4())}
    return httpx.post(url + "/oauth2.0/token", params=params, json=LOGIN | changes).json()


def caller(url):
    told = token(url)
    headers = {"authorization": f"Bearer {told['accessToken']}", "x-fs-ea": told["ea"], "x-fs-userid": "1000"}
    return httpx.Client(base_url=url, headers=headers)


def query(client, kind, filters=(), *, offset=0, limit=100, orders=(("_id", True),), **more):
    told = {"offset": offset, "limit": limit, "filters": list(filters),
            "orders": [{"fieldName": f, "isAsc": asc} for f, asc in orders], **more}  # fmt: skip
    body = {"data": {"dataObjectApiName": kind, "search_query_info": told}}
    return client.post("/cgi/crm/v2/data/query", json=body).json()


def where(field, operator, *values):
    return {"field_name": field, "operator": operator, "field_values": list(values)}


@pytest.fixture
def people(crm):
    made = CrmPeople(crm.url)
    yield made
    made.close()


@pytest.mark.parametrize("wrong", [{"appSecret": "x"}, {"appId": "x"}, {"permanentCode": "x"}, {"grantType": "x"}])
def test_a_wrong_login_gets_no_token(crm, wrong):
    answer = token(crm.url, **wrong)
    assert answer["errorCode"] == 10006
    assert "accessToken" not in answer


def test_the_second_request_returns_the_same_token_and_more_than_ten_a_minute_are_refused(crm):
    answers = [token(crm.url) for _ in range(12)]
    tokens = {a["accessToken"] for a in answers if a["errorCode"] == 0}
    assert len(tokens) == 1
    assert answers[-1]["errorCode"] == 30002
    crm.act("settings", token_calls_per_minute=0)


@pytest.mark.parametrize(
    ("headers", "code"),
    [({}, 20017), ({"authorization": "Bearer nonsense"}, 20016), ({"x-fs-ea": "other"}, 20020),
     ({"x-fs-userid": "9"}, 20021)],
)  # fmt: skip
def test_each_header_is_checked_and_the_answer_is_http_200(crm, headers, code):
    crm.act("settings", token_calls_per_minute=0)
    good = dict(caller(crm.url).headers)
    sent = {} if not headers else good | headers
    response = httpx.post(crm.url + "/cgi/crm/v2/data/query", headers=sent, json={"data": {}})
    assert response.status_code == 200
    assert response.json()["errorCode"] == code


def test_a_token_runs_out_and_a_new_one_differs(start):
    emulator = start("fxiaoke", token_seconds=0.3)
    client = caller(emulator.url)
    assert query(client, "AccountObj")["errorCode"] == 0
    time.sleep(0.35)
    assert query(client, "AccountObj")["errorCode"] == 20016
    assert f"Bearer {token(emulator.url)['accessToken']}" != client.headers["authorization"]


def test_people_log_in_again_when_tokens_were_withdrawn(crm, people):
    number = people.place_order("C-1001", [LINE])
    crm.act("expire_tokens")
    assert people.order(number)["name"] == number


def test_an_order_goes_its_way(crm, people):
    lines = [LINE, {"item": "FG-200", "quantity": "2", "unit": "carton", "price": "86.50"}]
    number = people.place_order("C-1001", lines, number="SO-77", confirm=False, remark="急")
    assert people.order(number)["life_status"] == "ineffective"
    people.confirm(number)
    order = people.order(number)
    assert (order["life_status"], order["order_status"]) == ("normal", "confirmed")
    assert order["order_amount"] == "11673.00"
    assert [line["line_no__c"] for line in order["lines"]] == ["10", "20"]
    assert [(line["quantity"], line["unit__c"]) for line in order["lines"]] == [("10", "pcs"), ("2", "carton")]
    assert order["account_id__r"] == "青岛重工集团"
    people.cancel(number)
    assert people.order(number)["life_status"] == "invalid"


def test_editing_a_line_stamps_the_header(crm, people):
    number = people.place_order("C-1001", [LINE])
    before = people.order(number)
    time.sleep(0.005)
    people.change_quantity(number, "10", "4")
    after = people.order(number)
    assert after["last_modified_time"] > before["last_modified_time"]
    assert int(after["version"]) == int(before["version"]) + 1
    assert after["lines"][0]["quantity"] == "4"
    assert after["order_amount"] == "4600.00"


def test_a_cancelled_order_cannot_be_edited_nor_confirmed_again(crm, people):
    number = people.place_order("C-1001", [LINE])
    people.cancel(number)
    for attempt in (lambda: people.change_quantity(number, "10", "4"), lambda: people.confirm(number)):
        with pytest.raises(PlantRefused) as refusal:
            attempt()
        assert refusal.value.code == 320001403
    with pytest.raises(PlantRefused):
        people.edit(number, life_status="nonsense")


def test_the_three_limits_of_paging(crm):
    client = caller(crm.url)
    assert query(client, "ProductObj", limit=101)["errorCode"] == 10013
    assert query(client, "ProductObj", offset=50, limit=100)["errorCode"] == 10013
    assert query(client, "ProductObj", offset=10100, limit=100)["errorCode"] == 10013
    assert query(client, "ProductObj", offset=10000, limit=100)["errorCode"] == 0


def test_operators_and_projection(crm):
    client = caller(crm.url)
    codes = lambda *filters: [  # noqa: E731
        row["product_code"] for row in query(client, "ProductObj", filters)["data"]["dataList"]
    ]
    assert codes(where("product_code", "EQ", "FG-200")) == ["FG-200"]
    assert codes(where("product_code", "N", "FG-200")) == ["FG-100", "RM-001", "RM-002"]
    assert codes(where("product_code", "IN", "FG-200", "RM-001")) == ["FG-200", "RM-001"]
    assert codes(where("product_code", "LIKE", "G-1")) == ["FG-100"]
    assert codes(where("product_code", "STARTWITH", "RM")) == ["RM-001", "RM-002"]
    assert codes(where("last_modified_time", "GT", int(time.time() * 1000) + 60_000)) == []
    told = query(client, "ProductObj", [where("name", "EQ", "减速机 A100")], fieldProjection=["product_code"])
    assert [set(row) for row in told["data"]["dataList"]] == [{"_id", "product_code"}]
    assert query(client, "ProductObj", [where("colour", "EQ", "red")])["errorCode"] == 10013
    assert query(client, "NothingObj")["errorCode"] == 320001404


def test_offset_paging_drifts_when_rows_change_and_keyset_does_not(crm, people):
    numbers = [people.place_order("C-1001", [LINE]) for _ in range(6)]
    client = caller(crm.url)
    by_time = (("last_modified_time", True),)
    first = query(client, "SalesOrderObj", limit=3, orders=by_time)["data"]["dataList"]
    time.sleep(0.003)
    people.edit(first[0]["name"], remark="changed")
    second = query(client, "SalesOrderObj", offset=3, limit=3, orders=by_time)["data"]["dataList"]
    seen = {row["name"] for row in first + second}
    assert len(seen) == 5, "one row slipped from page two to page one unseen"
    start = query(client, "SalesOrderObj", limit=3)["data"]["dataList"]
    people.edit(start[0]["name"], remark="again")
    rest = query(client, "SalesOrderObj", [where("_id", "GT", start[-1]["_id"])], limit=3)["data"]["dataList"]
    assert [row["name"] for row in start + rest] == numbers


def note(client, order, reference, quantity="4"):
    line = {"sales_order_product_id": order["lines"][0]["_id"], "product_id": order["lines"][0]["product_id"],
            "delivery_num": quantity}  # fmt: skip
    head = {"dataObjectApiName": "DeliveryNoteObj", "sales_order_id": order["_id"], "hub_reference__c": reference,
            "express_org": "SF", "colour__c": "dropped"}  # fmt: skip
    return client.post(
        "/cgi/crm/v2/data/create", json={"data": {"object_data": head, "details": {"DeliveryNoteProductObj": [line]}}}
    ).json()


def test_a_unique_custom_field_refuses_the_second_and_can_be_found(crm, people):
    order = people.order(people.place_order("C-1001", [LINE]))
    client = caller(crm.url)
    made = note(client, order, "ship-1")
    again = note(client, order, "ship-1")
    assert made["errorCode"] == 0
    assert again["errorCode"] == 320001411
    assert "唯一性字段重复" in again["errorMessage"]
    found = query(client, "DeliveryNoteObj", [where("hub_reference__c", "EQ", "ship-1")])["data"]["dataList"]
    assert [row["_id"] for row in found] == [made["dataId"]]
    assert "colour__c" not in found[0]
    assert [n["lines"][0]["delivery_num"] for n in people.delivery_notes(order["name"])] == ["4"]


def test_an_order_without_a_unique_field_is_simply_created_again(crm, people):
    people.place_order("C-1001", [LINE])
    people.place_order("C-1001", [LINE])
    assert len(crm.documents("SalesOrderObj")) == 2
    people.place_order("C-1001", [LINE], number="SO-5")
    with pytest.raises(PlantRefused):
        people.place_order("C-1001", [LINE], number="SO-5")
    assert len(crm.documents("SalesOrderProductObj")) == 3, "a refused create leaves nothing behind"


@pytest.mark.parametrize("wrong", [{"order_time": "2026-11-23"}, {"order_amount": "many"}, {"life_status": "sold"}])
def test_wrong_values_are_refused(crm, people, wrong):
    number = people.place_order("C-1001", [LINE])
    with pytest.raises(PlantRefused) as refusal:
        people.edit(number, **wrong)
    assert refusal.value.code in (10013, 320001403)
    assert people.order(number)["version"] == "2", "nothing changed but the confirmation before"


def test_deleting_needs_two_steps_and_leaves_no_trace(crm, people):
    number = people.place_order("C-1001", [LINE])
    key = people.order(number)["_id"]
    client = caller(crm.url)
    body = {"data": {"dataObjectApiName": "SalesOrderObj", "idList": [key]}}
    assert client.post("/cgi/crm/v2/data/delete", json=body).json()["errorCode"] == 320001403
    people.cancel(number)
    assert client.post("/cgi/crm/v2/data/delete", json=body).json()["errorCode"] == 0
    assert query(client, "SalesOrderObj")["data"]["dataList"] == []
    assert query(client, "SalesOrderProductObj")["data"]["dataList"] == []


def test_one_api_is_throttled_by_itself(start):
    emulator = start("fxiaoke", rate_calls=3, rate_seconds=0.5)
    client = caller(emulator.url)
    codes = [query(client, "AccountObj")["errorCode"] for _ in range(4)]
    assert codes == [0, 0, 0, 30002]
    assert query(client, "ProductObj")["errorCode"] == 0
    time.sleep(0.55)
    assert query(client, "AccountObj")["errorCode"] == 0


def test_a_new_order_is_listed_late_when_the_index_lags(start):
    emulator = start("fxiaoke")
    people = CrmPeople(emulator.url)
    client = caller(emulator.url)
    people.place_order("C-1001", [LINE])
    emulator.act("settings", lag_seconds=0.6)
    assert query(client, "SalesOrderObj")["data"]["dataList"] == []
    time.sleep(0.7)
    assert len(query(client, "SalesOrderObj")["data"]["dataList"]) == 1
    people.close()


def test_state_survives_a_kill(start):
    emulator = start("fxiaoke")
    people = CrmPeople(emulator.url)
    number = people.place_order("C-1001", [LINE])
    emulator.kill()
    emulator.start()
    assert people.order(number)["lines"][0]["quantity"] == "10"
    assert len(emulator.documents("AccountObj")) == 3, "master data is not put in twice"
    assert people.place_order("C-1001", [LINE]) != number
    people.close()


def test_many_at_once_create_each_order_once(crm):
    def work(_):
        people = CrmPeople(crm.url)
        try:
            return [people.place_order("C-1002", [LINE]) for _ in range(10)]
        finally:
            people.close()

    crm.act("settings", token_calls_per_minute=0)
    with ThreadPoolExecutor(8) as pool:
        numbers = [number for batch in pool.map(work, range(8)) for number in batch]
    assert len(set(numbers)) == 80
    assert len(crm.documents("SalesOrderObj")) == 80


def test_the_control_desk_is_not_for_browsers(crm):
    for sent in ({"origin": "http://evil.example"}, {"host": "evil.example"}):
        assert httpx.get(crm.url + "/_plant/state", headers=sent).status_code == 404

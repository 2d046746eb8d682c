"""API keys: who is let in, what a key allows, how keys are made and revoked over HTTP."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from fastapi import APIRouter, FastAPI

from jobstore.api_keys import digest_of_token
from jobstore.store import JobStore
from schemas.access import SCOPES, Scope
from service import key_ring
from service.app import create_app
from service.auth import OwnerDep
from service.settings import ServiceSettings
from tests.redis_servers import open_redis
from tests.service.conftest import client_of
from tests.service.fake_worker import FakeWorker
from tests.service.keys import caller, made_key
from tests.service.test_errors import problem_of
from tests.service.test_submit import cam

ORDER = {"owner": "ada", "scopes": ["read", "submit"]}
FORM_OF_A_KEY = "cs_0123456789ab_" + "A" * 43


@pytest.fixture
def settings(settings: ServiceSettings) -> ServiceSettings:
    return settings.model_copy(update={"auth": "required"})


async def test_a_request_without_a_key_is_refused_before_its_body_is_read(client: httpx.AsyncClient) -> None:
    for answer in (await client.get("/v1/jobs"), await client.post("/v1/jobs", content=b"{"), await client.get("/metrics")):
        problem_of(answer, 401, "unauthenticated")
        assert answer.headers["www-authenticate"] == 'Bearer realm="convscope"'


@pytest.mark.parametrize(
    "headers",
    [
        {"Authorization": f"Bearer {FORM_OF_A_KEY}"},
        {"Authorization": "Bearer nonsense"},
        {"Authorization": "Bearer "},
        {"X-API-Key": ""},
        {"X-API-Key": "cs_0123456789ab_é".encode()},
    ],
)
async def test_a_wrong_key_is_refused(client: httpx.AsyncClient, headers: dict[str, Any]) -> None:
    answer = await client.get("/v1/jobs", headers=headers)
    problem_of(answer, 401, "unauthenticated")
    assert answer.headers["www-authenticate"] == 'Bearer realm="convscope", error="invalid_token"'


async def test_the_right_id_with_another_secret_is_refused(client: httpx.AsyncClient, store: JobStore) -> None:
    key = await made_key(store, "ada")
    for end in ("A", "B"):  # at least one of them differs from the key
        other = key.key[:-1] + end
        assert (await client.get("/v1/jobs", headers={"X-API-Key": other})).status_code == (200 if other == key.key else 401)


async def test_both_headers_carry_a_key_and_another_scheme_is_ignored(client: httpx.AsyncClient, store: JobStore) -> None:
    key = (await made_key(store, "ada")).key
    for headers in ({"Authorization": f"Bearer {key}"}, {"authorization": f"bEARER  {key}"}, {"X-API-Key": key}):
        assert (await client.get("/v1/jobs", headers=headers)).status_code == 200
    assert (await client.get("/v1/jobs", headers={"Authorization": "Basic YTpi", "X-API-Key": key})).status_code == 200
    answer = await client.get("/v1/jobs", headers={"Authorization": "Basic YTpi"})
    assert answer.headers["www-authenticate"] == 'Bearer realm="convscope"'


@pytest.mark.parametrize(
    ("scope", "allowed"),
    [("read", ["GET /v1/jobs"]), ("submit", ["POST /v1/jobs"]), ("admin", ["GET /v1/jobs", "POST /v1/jobs", "GET /v1/keys"])],
)
async def test_a_scope_allows_what_it_names(app: FastAPI, store: JobStore, worker: FakeWorker, scope: Scope, allowed: list[str]) -> None:
    async with caller(app, store, "ada", scope) as client:
        for call, needed in (("GET /v1/jobs", "read"), ("POST /v1/jobs", "submit"), ("GET /v1/keys", "admin")):
            verb, path = call.split()
            answer = await client.request(verb, path, json=cam() if verb == "POST" else None)
            if call in allowed:
                assert answer.status_code in (200, 202), answer.text
            else:
                problem = problem_of(answer, 403, "scope_missing")
                assert answer.headers["www-authenticate"] == f'Bearer realm="convscope", error="insufficient_scope", scope="{needed}"'
                assert (f"'{needed}'" in problem.detail, scope in problem.detail) == (True, True)


async def test_open_addresses_need_no_key(client: httpx.AsyncClient) -> None:
    for path in ("/", "/livez", "/readyz", "/docs", "/openapi.json"):
        assert (await client.get(path)).status_code == 200


async def test_a_key_is_made_listed_used_and_revoked(
    app: FastAPI, client: httpx.AsyncClient, store: JobStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with caller(app, store, "operator", "admin") as admin:
        until = (datetime.now(UTC) + timedelta(days=3)).replace(microsecond=0)
        answer = await admin.post("/v1/keys", json=ORDER | {"scopes": ["submit", "read", "read"], "expires_at": until.isoformat()})
        made = answer.json()
        assert (answer.status_code, answer.headers["cache-control"]) == (201, "no-store")
        assert (made["owner"], made["scopes"], made["last_used_at"]) == ("ada", ["read", "submit"], None)
        assert datetime.fromisoformat(made["expires_at"]) == until
        mine = {"Authorization": f"Bearer {made['key']}"}
        assert (await client.get("/v1/jobs", headers=mine)).status_code == 200
        listed = (await admin.get("/v1/keys")).json()["items"]
        assert [key["owner"] for key in listed] == ["ada", "operator"]
        assert made["key"] not in json.dumps(listed)
        assert datetime.now(UTC) - datetime.fromisoformat(listed[0]["last_used_at"]) < timedelta(minutes=1)
        monkeypatch.setattr(key_ring, "MEMORY_SECONDS", 0.0)
        assert (await admin.delete(f"/v1/keys/{made['id']}")).status_code == 204
        problem_of(await client.get("/v1/jobs", headers=mine), 401, "unauthenticated")
        problem_of(await admin.delete(f"/v1/keys/{made['id']}"), 404, "not_found")
        assert [key["owner"] for key in (await admin.get("/v1/keys")).json()["items"]] == ["operator"]


async def test_a_revocation_counts_within_two_seconds_in_another_process(app: FastAPI, store: JobStore, settings: ServiceSettings) -> None:
    key = await made_key(store, "ada")
    async with client_of(app) as client:
        client.headers["X-API-Key"] = key.key
        assert (await client.get("/v1/jobs")).status_code == 200
        other = JobStore.connect(settings.redis_url or "", settings)  # as another process, which shares no memory with `app`
        await other.api_keys.revoke(key.id)
        await other.close()
        async with asyncio.timeout(key_ring.MEMORY_SECONDS + 1):
            while (await client.get("/v1/jobs")).status_code != 401:
                await asyncio.sleep(0.05)


async def test_only_a_hash_is_stored_and_it_ends_with_the_key(store: JobStore, settings: ServiceSettings) -> None:
    key = await made_key(store, "ada")
    with open_redis(settings.redis_url or "") as redis:
        fields = redis.hgetall(f"convscope:{{api_keys}}:api_key:{key.id}")
        assert fields[b"digest"].decode() == digest_of_token(key.key).hex()
        secret = key.key.rpartition("_")[2].encode() if key.key.count("_") == 2 else key.key[16:].encode()
        assert not any(secret in value for value in fields.values())
        assert len(digest_of_token(key.key)) == 32


async def test_an_expired_key_is_refused(client: httpx.AsyncClient, store: JobStore, settings: ServiceSettings) -> None:
    key = await made_key(store, "ada")
    with open_redis(settings.redis_url or "") as redis:
        redis.hset(f"convscope:{{api_keys}}:api_key:{key.id}", "expires_at", 1000)
    problem_of(await client.get("/v1/jobs", headers={"X-API-Key": key.key}), 401, "unauthenticated")
    assert await store.api_keys.all() == []


async def test_a_use_that_comes_after_the_revocation_leaves_nothing_behind(store: JobStore) -> None:
    key = await made_key(store, "ada")
    await store.api_keys.revoke(key.id)
    await store.api_keys.note_use(key.id)
    assert (await store.api_keys.read(key.id), await store.api_keys.all()) == (None, [])


@pytest.mark.parametrize(
    ("order", "pointer"),
    [
        (ORDER | {"owner": "a:b"}, "/owner"),
        (ORDER | {"owner": ""}, "/owner"),
        (ORDER | {"scopes": []}, "/scopes"),
        (ORDER | {"scopes": ["root"]}, "/scopes/0"),
        (ORDER | {"expires_at": "2001-01-01T00:00:00Z"}, "/expires_at"),
        (ORDER | {"expires_at": "2101-01-01T00:00:00"}, "/expires_at"),
        (ORDER | {"role": "x"}, "/role"),
        ({"scopes": ["read"]}, "/owner"),
    ],
)
async def test_a_wrong_order_is_refused(app: FastAPI, store: JobStore, order: dict[str, Any], pointer: str) -> None:
    async with caller(app, store, "operator", "admin") as admin:
        assert problem_of(await admin.post("/v1/keys", json=order), 422, "invalid_parameters").pointer == pointer


async def test_a_body_that_is_no_json_is_refused(app: FastAPI, store: JobStore) -> None:
    async with caller(app, store, "operator", "admin") as admin:
        problem_of(await admin.post("/v1/keys", content=b"{", headers={"Content-Type": "application/json"}), 400, "malformed_body")
        problem_of(await admin.post("/v1/keys", content=b"{}"), 415, "unsupported_format")


async def test_without_auth_a_key_is_still_checked_and_nobody_else_is_admin(
    store: JobStore, settings: ServiceSettings, worker: FakeWorker
) -> None:
    app = create_app(settings.model_copy(update={"auth": "off"}), store)
    async with client_of(app) as client, caller(app, store, "ada") as ada, caller(app, store, "operator", *SCOPES) as admin:
        assert (await client.post("/v1/jobs", json=cam())).status_code == 202
        assert [len((await each.get("/v1/jobs")).json()["items"]) for each in (client, ada)] == [1, 0]
        problem_of(await client.post("/v1/keys", json=ORDER), 403, "scope_missing")
        problem_of(await client.get("/v1/jobs", headers={"X-API-Key": FORM_OF_A_KEY}), 401, "unauthenticated")
        assert (await admin.post("/v1/keys", json=ORDER)).status_code == 201


async def test_a_route_that_nobody_guards_fails(app: FastAPI, client: httpx.AsyncClient) -> None:
    async def whose(owner: OwnerDep) -> str:
        return owner

    forgotten = APIRouter()
    forgotten.add_api_route("/v1/forgotten", whose)
    app.include_router(forgotten)
    problem_of(await client.get("/v1/forgotten"), 500, "internal")


async def test_the_document_says_what_each_operation_needs(app: FastAPI, settings: ServiceSettings, store: JobStore) -> None:
    paths = app.openapi()["paths"]
    assert paths["/livez"]["get"]["security"] == []
    assert paths["/v1/jobs"]["get"]["security"] == [{"bearer": []}, {"api_key": []}]
    assert paths["/v1/keys"]["post"]["description"].endswith("A key needs the scope `admin`.")
    assert {"401", "403"} <= set(paths["/v1/jobs"]["post"]["responses"])
    off = create_app(settings.model_copy(update={"auth": "off"}), store).openapi()["paths"]
    assert ({} in off["/v1/jobs"]["get"]["security"], {} in off["/v1/keys"]["get"]["security"]) == (True, False)

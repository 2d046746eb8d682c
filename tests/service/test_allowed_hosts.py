"""A keyless service on loopback answers nobody who takes it for another host, and addresses without valid keys are held back."""

from __future__ import annotations

import httpx

from cli.access import with_auth_decided
from jobstore.store import JobStore
from service.app import create_app
from service.refused_callers import MOST_REFUSALS
from service.settings import ServiceSettings
from tests.service.conftest import client_of
from tests.service.keys import made_key
from tests.service.test_errors import problem_of

ALLOWED = ("localhost", "localhost:8000", "LOCALHOST", "127.0.0.1:8000", "[::1]", "[::1]:8000", "localhost.", "convscope.example:443")
OTHERS = (
    "evil.example",
    "evil.example:8000",
    "",
    "127.0.0.1.evil.example",
    "localhost.evil.example",
    "[::2]",
    "10.0.0.1",
    "[::1",
    "a#localhost",
)


async def test_only_the_names_of_loopback_and_of_the_operator_are_hosts(settings: ServiceSettings, store: JobStore) -> None:
    own = with_auth_decided(settings.model_copy(update={"allowed_hosts": ("Convscope.example",)}), insecure=False)
    async with client_of(create_app(own, store)) as client:
        for host in ALLOWED:
            assert (await client.get("/livez", headers={"Host": host})).status_code == 200, host
        for host in OTHERS:
            for path in ("/v1/jobs", "/livez", "/"):
                answer = await client.get(path, headers={"Host": host})
                problem_of(answer, 421, "host_not_allowed")
                assert answer.headers["x-request-id"]


def test_hosts_are_bound_only_where_no_key_is_needed_on_loopback(settings: ServiceSettings) -> None:
    def hosts(insecure: bool = False, **changes: object) -> tuple[str, ...]:
        return with_auth_decided(settings.model_copy(update=changes), insecure=insecure).allowed_hosts

    assert hosts() == ("localhost", "127.0.0.1", "::1")
    assert hosts(auth="off", allowed_hosts=("*",)) == ("localhost", "127.0.0.1", "::1", "*")
    assert hosts(auth="required") == ()
    assert hosts(host="0.0.0.0", insecure=True) == ()  # noqa: S104 - nothing listens here
    assert hosts(host="0.0.0.0", allowed_hosts=("a.example",)) == ("a.example",)  # noqa: S104 - nothing listens here


async def test_an_address_that_sends_no_valid_key_is_held_back_and_others_are_not(settings: ServiceSettings, store: JobStore) -> None:
    app = create_app(settings.model_copy(update={"auth": "required"}), store)
    key = (await made_key(store, "ada")).key

    def at(address: str) -> httpx.AsyncClient:
        return httpx.AsyncClient(transport=httpx.ASGITransport(app=app, client=(address, 1)), base_url="http://service")

    async with at("203.0.113.7") as flood, at("203.0.113.8") as other, at("127.0.0.1") as local:
        assert (await flood.get("/v1/jobs", headers={"X-API-Key": key})).status_code == 200
        for _ in range(MOST_REFUSALS):
            problem_of(await flood.get("/v1/jobs", headers={"X-API-Key": "cs_0123456789ab_" + "A" * 43}), 401, "unauthenticated")
        answer = await flood.get("/v1/jobs")
        problem_of(answer, 429, "rate_limited")
        assert 1 <= int(answer.headers["retry-after"]) <= 60
        assert (await flood.get("/v1/jobs", headers={"X-API-Key": key})).status_code == 200, "a key that is known goes on"
        assert (await flood.get("/livez")).status_code == 200
        problem_of(await other.get("/v1/jobs"), 401, "unauthenticated")
        for _ in range(MOST_REFUSALS + 1):
            answer = await local.get("/v1/jobs")
        problem_of(answer, 401, "unauthenticated")

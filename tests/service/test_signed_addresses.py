"""Signed addresses, with which a page shows a picture or follows a job without sending a key."""

from __future__ import annotations

import base64
import hashlib
import hmac
import io
import json
import time
import zipfile
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from fastapi import FastAPI

from jobstore.signing_secrets import DAY, SigningSecrets
from jobstore.store import JobStore
from service import key_ring
from service.app import create_app
from service.settings import ServiceSettings
from service.signed_addresses import LIFE, AddressSigner
from tests.redis_servers import open_redis
from tests.service.conftest import client_of
from tests.service.fake_worker import FakeWorker
from tests.service.keys import caller
from tests.service.test_errors import problem_of
from tests.service.test_submit import PHOTO, cam


@pytest.fixture
def settings(settings: ServiceSettings) -> ServiceSettings:
    return settings.model_copy(update={"auth": "required"})


async def ended_job(app: FastAPI, store: JobStore, worker: FakeWorker) -> dict[str, str]:
    """Return the addresses of a job that has ended, by name, as its owner sees them."""
    async with caller(app, store, "ada") as ada:
        job_id = (await ada.post("/v1/jobs", json=cam())).json()["id"]
        await worker.work()
        job = (await ada.get(f"/v1/jobs/{job_id}")).json()
    addresses = {artifact["name"]: artifact["url"] for artifact in job["artifacts"]}
    return {**addresses, "job": job["url"], "events": job["events_url"]}


async def test_every_address_of_a_job_works_without_a_key(
    app: FastAPI, client: httpx.AsyncClient, store: JobStore, worker: FakeWorker
) -> None:
    addresses = await ended_job(app, store, worker)
    assert set(addresses) == {"job", "events", "overlay", "heatmap", "map"}
    for address in addresses.values():
        assert (await client.get(address)).status_code == 200
        assert (await client.get(f"{address}&format=npy")).status_code in (200, 406)
        assert 3000 < int(parse_qs(urlsplit(address).query)["expires"][0]) - time.time() <= LIFE
    shown = (await client.get(addresses["job"])).json()
    assert shown["artifacts"][0]["url"].startswith(f"/v1/jobs/{shown['id']}/artifacts/overlay?signature=")


async def test_addresses_in_a_zip_have_no_signature(app: FastAPI, store: JobStore, worker: FakeWorker) -> None:
    """So the file is the same whenever it is downloaded, and who gets the file cannot read anything of its owner's."""
    async with caller(app, store, "ada") as ada:
        job_id = (await ada.post("/v1/jobs", json=cam())).json()["id"]
        await worker.work()
        answers = [await ada.get(f"/v1/jobs/{job_id}/artifacts.zip"), await ada.post("/v1/jobs.zip", json=cam())]
        form = {"data": {"model": "vgg16"}, "files": {"image": PHOTO}, "headers": {"Accept": "application/zip"}}
        answers.append(await ada.post("/v1/grad_cam", **form))
    for answer in answers:
        with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
            job = json.loads(archive.read("job.json"))
        addresses = [job["url"], job["events_url"], *(each["url"] for each in job["artifacts"])]
        assert len(addresses) == 5
        assert not any("signature" in address for address in addresses)


async def test_a_signature_is_good_for_its_path_and_for_reading_alone(
    app: FastAPI, client: httpx.AsyncClient, store: JobStore, worker: FakeWorker
) -> None:
    addresses = await ended_job(app, store, worker)
    query = urlsplit(addresses["job"]).query
    path = urlsplit(addresses["job"]).path
    wrong = [
        f"{path}/events?{query}",
        f"/v1/jobs?{query}",
        f"/v1/methods?{query}",
        f"{path}?{query.replace('expires=', 'expires=1')}",
        f"{path}?{query.replace('signature=', 'signature=0')}",
        f"{path}?{query[:-1]}",
        f"{path}?{urlsplit(addresses['events']).query}",
        f"{path}?signature=x&expires=y",
        f"{path}?{query.split('&', maxsplit=1)[0]}",
    ]
    for address in wrong:
        answer = await client.get(address)
        problem_of(answer, 401, "unauthenticated")
    for verb, at in (("DELETE", path), ("POST", f"{path}/cancel")):
        problem_of(await client.request(verb, f"{at}?{query}"), 401, "unauthenticated")
    assert (await client.get(addresses["job"])).json()["state"] == "succeeded"


async def test_a_revoked_key_ends_its_addresses(
    app: FastAPI, client: httpx.AsyncClient, store: JobStore, worker: FakeWorker, monkeypatch: pytest.MonkeyPatch
) -> None:
    addresses = await ended_job(app, store, worker)
    monkeypatch.setattr(key_ring, "MEMORY_SECONDS", 0.0)
    (key,) = await store.api_keys.all()
    await store.api_keys.revoke(key.id)
    problem_of(await client.get(addresses["overlay"]), 401, "unauthenticated")


async def test_a_key_that_may_not_read_signs_nothing_readable(
    app: FastAPI, client: httpx.AsyncClient, store: JobStore, worker: FakeWorker
) -> None:
    async with caller(app, store, "ada", "submit") as ada:
        address = (await ada.post("/v1/jobs", json=cam())).json()["url"]
    problem_of(await client.get(address), 403, "scope_missing")


async def test_an_address_expires(store: JobStore, monkeypatch: pytest.MonkeyPatch) -> None:
    signer = AddressSigner(store.signing_secrets)
    address = (await signer.signing_for("0123456789ab"))("/v1/jobs/x")
    signature, expires = (parse_qs(urlsplit(address).query)[name][0] for name in ("signature", "expires"))
    assert await signer.check("/v1/jobs/x", signature, expires) == "0123456789ab"
    monkeypatch.setattr(time, "time", lambda: float(expires))
    with pytest.raises(Exception, match="This signed address has expired"):
        await signer.check("/v1/jobs/x", signature, expires)


async def test_processes_share_a_secret_a_day_and_forget_it(store: JobStore, settings: ServiceSettings) -> None:
    other = JobStore.connect(settings.redis_url or "", settings)
    day = int(time.time()) // DAY
    first, second = await store.signing_secrets.of_day(day), await other.signing_secrets.of_day(day)
    assert (len(first), first) == (32, second)
    assert await other.signing_secrets.of_day(day + 1) != first
    assert await other.signing_secrets.known(day - 1) is None
    await other.close()
    with open_redis(settings.redis_url or "") as redis:
        left = redis.ttl(f"convscope:{{api_keys}}:signing:{day}")
        assert 0 < left - ((day + 1) * DAY - time.time()) < 700


async def test_the_signature_is_an_hmac_over_key_time_and_path(store: JobStore) -> None:
    """Written out with the standard library, for another implementation to compare with."""
    address = (await AddressSigner(store.signing_secrets).signing_for("0123456789ab"))("/v1/jobs/x/artifacts/a%20b")
    expires = int(parse_qs(urlsplit(address).query)["expires"][0])
    secret = await SigningSecrets.known(store.signing_secrets, expires // DAY)
    assert secret is not None
    digest = hmac.digest(secret, f"0123456789ab\n{expires}\n/v1/jobs/x/artifacts/a b".encode(), hashlib.sha256)
    text = base64.urlsafe_b64encode(digest).decode().rstrip("=")
    assert address == f"/v1/jobs/x/artifacts/a%20b?signature=0123456789ab.{text}&expires={expires}"


async def test_another_process_checks_what_this_one_has_signed(
    app: FastAPI, store: JobStore, worker: FakeWorker, settings: ServiceSettings
) -> None:
    addresses = await ended_job(app, store, worker)
    other = JobStore.connect(settings.redis_url or "", settings)
    async with client_of(create_app(settings, other)) as client:
        assert (await client.get(addresses["map"])).status_code == 200
    await other.close()


async def test_a_location_and_the_addresses_of_callers_without_keys_are_plain(
    settings: ServiceSettings, store: JobStore, worker: FakeWorker
) -> None:
    async with client_of(create_app(settings.model_copy(update={"auth": "off"}), store)) as client:
        answer = await client.post("/v1/jobs", json=cam())
        path = f"/v1/jobs/{answer.json()['id']}"
        assert (answer.headers["location"], answer.json()["url"], answer.json()["events_url"]) == (path, path, f"{path}/events")

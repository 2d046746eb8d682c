"""A caller without a key who sends a large body still reads the answer, with every ordinary client."""

from __future__ import annotations

import asyncio
import json
import shutil

import pytest

from jobstore.store import JobStore
from service.settings import ServiceSettings
from tests.service.test_unread_bodies import CLIENTS, MIB, Refused, serving, with_curl


@pytest.mark.slow
async def test_every_client_reads_that_a_key_is_needed(settings: ServiceSettings, store: JobStore) -> None:
    request = Refused("POST", "/v1/jobs", "application/json", 8 * MIB, 401, "unauthenticated")
    async with serving(settings.model_copy(update={"auth": "required"}), store) as url:
        for client in CLIENTS:
            if client is with_curl and shutil.which("curl") is None:
                continue
            status, body = await asyncio.to_thread(client, url, request)
            assert (status, json.loads(body)["code"]) == (request.status, request.code), client.__name__

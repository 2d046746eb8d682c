"""API keys for the tests, and clients that send them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
from fastapi import FastAPI

from jobstore.store import JobStore
from schemas.access import ApiKeyRequest, NewApiKey, Scope
from tests.service.conftest import client_of


async def made_key(store: JobStore, owner: str, *scopes: Scope) -> NewApiKey:
    """Make a key; without `scopes`, it may read and submit."""
    return await store.api_keys.add(ApiKeyRequest(owner=owner, scopes=scopes or ("read", "submit")))


@asynccontextmanager
async def caller(app: FastAPI, store: JobStore, owner: str, *scopes: Scope) -> AsyncIterator[httpx.AsyncClient]:
    """Yield a client that sends a new key of this owner."""
    key = await made_key(store, owner, *scopes)
    async with client_of(app) as client:
        client.headers["X-API-Key"] = key.key
        yield client

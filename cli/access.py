"""Decide, before the service starts, whether callers need a key, and refuse an open service that other machines reach."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import TypeVar

from cli.failure import CommandFailed
from cli.listening import is_loopback
from jobstore.settings import StoreSettings
from jobstore.store import JobStore
from schemas.access import ApiKeyRequest
from schemas.errors import VisualizationError
from service.allowed_hosts import LOOPBACK_NAMES
from service.settings import ServiceSettings

_T = TypeVar("_T")
_START_KEY_LIFE = timedelta(minutes=15)


def with_auth_decided(settings: ServiceSettings, *, insecure: bool) -> ServiceSettings:
    """Return the settings with `auth` set: as the operator has set it, or else by the address and `--insecure`.

    Where no key is needed on a loopback address, only the names of loopback and those of the operator are allowed as hosts.

    Raises:
        CommandFailed: the host is unknown, or anyone who reaches the address could upload models without a key.
    """
    on_loopback = is_loopback(settings.host)
    auth = settings.auth or ("off" if insecure or on_loopback else "required")
    if auth == "off" and settings.model_uploads and not on_loopback:
        raise CommandFailed(
            f"convscope refuses to take models on {settings.host}, because callers would need no key. Set CONVSCOPE_AUTH=required, or "
            "leave CONVSCOPE_MODEL_UPLOADS out."
        )
    hosts = settings.allowed_hosts
    if auth == "off" and on_loopback:
        hosts = tuple(dict.fromkeys((*LOOPBACK_NAMES, settings.host, *hosts)))
    return settings.model_copy(update={"auth": auth, "allowed_hosts": hosts})


def check_keys_exist(settings: ServiceSettings, redis_url: str, *, insecure: bool) -> None:
    """Refuse a service that other machines reach and that nobody has a key for.

    Raises:
        CommandFailed: there is no key, or Redis does not answer.
    """
    if settings.auth == "required" and not insecure and not is_loopback(settings.host) and not with_store(redis_url, settings, _has_keys):
        raise CommandFailed(
            f"convscope refuses to listen on {settings.host}, because there is no API key yet. "
            "Make one with `convscope keys add OWNER --scopes admin`, or use --insecure."
        )


def start_key(settings: ServiceSettings, redis_url: str) -> str | None:
    """Return a key with which `convscope serve` can ask the service that it starts; None if callers need no key.

    Raises:
        CommandFailed: Redis does not answer.
    """
    if settings.auth != "required":
        return None
    order = ApiKeyRequest(owner="convscope-serve", scopes=("read",), expires_at=datetime.now(UTC) + _START_KEY_LIFE)
    return with_store(redis_url, settings, lambda store: store.api_keys.add(order)).key


def with_store(redis_url: str, settings: StoreSettings, call: Callable[[JobStore], Awaitable[_T]]) -> _T:
    """Return what `call` returns for a store on this Redis.

    Raises:
        CommandFailed: Redis does not answer, or it is full.
    """

    async def run() -> _T:
        store = JobStore.connect(redis_url, settings)
        try:
            return await call(store)
        finally:
            await store.close()

    try:
        return asyncio.run(run())
    except VisualizationError as error:
        raise CommandFailed(error.detail) from error


async def _has_keys(store: JobStore) -> bool:
    return bool(await store.api_keys.all())

"""API keys in Redis."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from jobstore.api_keys import LONGEST_LIFE, key_id_of
from jobstore.store import JobStore
from schemas.access import ApiKeyRequest
from tests.redis_servers import open_redis


async def test_keys_live_in_one_place_whatever_the_number_of_shards(store: JobStore) -> None:
    made = [await store.api_keys.add(ApiKeyRequest(owner=owner, scopes=("read",))) for owner in ("ada", "bob", "ada")]
    assert len({each.key for each in made}) == len({each.id for each in made}) == 3
    listed = await store.api_keys.all()
    assert {each.id for each in listed} == {each.id for each in made}
    assert [each.created_at for each in listed] == sorted((each.created_at for each in listed), reverse=True)
    assert await store.api_keys.revoke(made[1].id)
    assert not await store.api_keys.revoke(made[1].id)
    assert [each.owner for each in await store.api_keys.all()] == ["ada", "ada"]
    stored = await store.api_keys.read(made[0].id)
    assert stored is not None
    assert stored.is_from(made[0].key)
    assert not stored.is_from(made[2].key)


async def test_a_key_ends_in_redis_when_it_expires_or_after_ten_years(store: JobStore, redis_url: str) -> None:
    soon = datetime.now(UTC).replace(microsecond=0) + timedelta(hours=5)
    ending = await store.api_keys.add(ApiKeyRequest(owner="ada", scopes=("submit",), expires_at=soon))
    lasting = await store.api_keys.add(ApiKeyRequest(owner="ada", scopes=("read", "submit")))
    await store.api_keys.note_use(ending.id)
    with open_redis(redis_url) as redis:
        lives = [redis.pttl(f"convscope:{{api_keys}}:api_key:{each.id}") for each in (ending, lasting)]
        assert 5 * 3_600_000 - 60_000 < lives[0] <= 5 * 3_600_000
        assert LONGEST_LIFE - 60_000 < lives[1] <= LONGEST_LIFE
        redis.pexpire(f"convscope:{{api_keys}}:api_key:{lasting.id}", 60_000)
        await store.api_keys.note_use(lasting.id)
        assert redis.pttl(f"convscope:{{api_keys}}:api_key:{lasting.id}") > LONGEST_LIFE - 60_000
    read = await store.api_keys.read(ending.id)
    assert read is not None
    assert read.key.expires_at == soon
    assert read.key.last_used_at is not None


def test_the_id_is_read_only_from_a_text_that_has_the_form_of_a_key() -> None:
    assert key_id_of("cs_0123456789ab_" + "_" * 43) == "0123456789ab"
    for text in ("", "cs_0123456789ab_", "cs_0123456789AB_" + "A" * 43, "cs_0123456789ab_" + "A" * 44, "xs_0123456789ab_" + "A" * 43):
        assert key_id_of(text) is None

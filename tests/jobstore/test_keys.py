"""The names of keys, and the scripts that use them."""

from __future__ import annotations

import re
from pathlib import Path
from typing import get_args

import jobstore
from jobstore.keys import KeyKind, execution_key, is_job_id, key, new_job_id, oldest_job_id, owner_key, shard_of

SCRIPTS = sorted(Path(jobstore.__path__[0]).glob("scripts/**/*.lua"))


def test_scripts_use_no_key_that_is_not_listed():
    used = {kind for script in SCRIPTS for kind in re.findall(r"key\('([^']*)'", script.read_text("utf-8"))}
    assert used
    assert used <= set(get_args(KeyKind))
    for script in SCRIPTS:
        assert "convscope" not in script.read_text("utf-8").replace("`convscope:{n}:`", "")


def test_every_listed_kind_is_explained_and_used():
    source = Path(jobstore.__path__[0])
    texts = "".join(path.read_text("utf-8") for path in (*SCRIPTS, *source.glob("*.py")) if path.name != "keys.py")
    explained = (source / "keys.py").read_text("utf-8").split('"""')[1]
    for kind in get_args(KeyKind):
        assert f"`{kind}`" in explained
        assert re.search(rf"""key\([^)]*['"]{kind}['"]""", texts), kind


def test_a_key_carries_its_shards_hash_tag():
    assert key(2, "job", "X") == "convscope:{2}:job:X"
    assert key("models", "model", "tiny:d1") == "convscope:{models}:model:tiny:d1"


def test_an_owner_cannot_bring_a_hash_tag_or_a_separator():
    assert owner_key("a:{7}/é") == "a%3A%7B7%7D%2F%C3%A9"
    assert owner_key("ann") == "ann"


def test_job_ids_are_ulids_of_their_shard():
    for shards in (1, 3, 64):
        for shard in (0, shards - 1):
            job = new_job_id(shard, shards)
            assert is_job_id(job)
            assert shard_of(job, shards) == shard
    assert not is_job_id("01ARZ3NDEKTSV4RRFFQ69G5FAU")  # U is not a letter of Crockford's base 32
    assert not is_job_id("81ARZ3NDEKTSV4RRFFQ69G5FAV")  # beyond 128 bits
    assert not is_job_id("01ARZ3NDEKTSV4RRFFQ69G5FAV\n")


def test_the_oldest_job_id_is_below_newer_ones_and_above_older_ones():
    job = new_job_id(0, 1)
    assert oldest_job_id(60) < job
    assert oldest_job_id(-60) > job


def test_parts_of_an_execution_key_do_not_run_together():
    keys = {execution_key(*parts) for parts in (("ab", "c"), ("a", "bc"), ("abc",), ("abc", None), (None, "abc"), ("1:a", ""), ("", "1:a"))}
    assert len(keys) == 7
    assert execution_key("a", None) == execution_key("a", None)

"""A script gets the shared definitions that it uses, in their order, and no others."""

from __future__ import annotations

import pytest

from jobstore.script_texts import definitions, load_scripts, with_definitions

_SHARED = """-- Some words about `unused`.
local FIRST, SECOND = 1, 2
local unused = FIRST

-- Uses SECOND.
local function twice(number) -- not `unused`
  local own = number
  return own * SECOND
end
local function four()
  return twice(2)
end
"""


def test_a_script_gets_what_it_uses_also_through_others() -> None:
    shared = definitions(_SHARED)
    assert [each.names for each in shared] == [{"FIRST", "SECOND"}, {"unused"}, {"twice"}, {"four"}]
    assert with_definitions("#!lua flags=no-writes\n-- unused\nreturn four()\n", shared) == (
        "#!lua flags=no-writes\n"
        "local FIRST, SECOND = 1, 2\n"
        "local function twice(number) \n  local own = number\n  return own * SECOND\nend\n"
        "local function four()\n  return twice(2)\nend\n"
        "-- unused\nreturn four()\n"
    )
    assert with_definitions("#!lua\nreturn 1\n", shared) == "#!lua\nreturn 1\n"


def test_shared_scripts_hold_definitions_alone() -> None:
    with pytest.raises(ValueError, match="must begin with a definition"):
        definitions("redis.call('PING')\nlocal a = 1\n")


def test_the_scripts_of_the_store_have_no_spare_functions() -> None:
    texts = {name: text for name, (text, _) in load_scripts().items()}
    assert "local function forget_job(" in texts["delete"]
    assert "local function forget_job(" not in texts["complete"], "a script that ends work deletes no records"
    assert "local now" not in texts["unreserve"], "a script that needs no time asks for none"

from __future__ import annotations

import os

from workers.engine.quiet_tensorflow import without_lines


def test_lines_with_a_phrase_are_dropped_and_the_others_written(capfd):
    with without_lines((b"banner",)):
        os.write(2, b"I0000 a banner line\nE0000 something real\n")
    os.write(2, b"after\n")
    assert capfd.readouterr().err == "E0000 something real\nafter\n"

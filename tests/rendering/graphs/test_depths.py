from __future__ import annotations

from rendering.graphs.depths import breaks, crossings, depths, likenesses

#  0 → 1 → 2 → 4, 0 → 4, and 3 → 4: the node 3 reads nothing
BLOCK = [(0, 1), (1, 2), (0, 4), (2, 4), (3, 4)]


def test_a_row_is_the_longest_way_and_a_source_stands_above_its_reader() -> None:
    assert depths(5, BLOCK) == [0, 1, 2, 2, 3]
    assert depths(2, []) == [0, 0]


def test_crossings_are_edges_that_lead_further_down() -> None:
    rows = depths(5, BLOCK)
    assert crossings(rows, BLOCK) == [2, 2, 3, 0]  # below row 0: both of node 0; below row 1: 0 → 4 and 1 → 2; below row 2: all to 4
    assert crossings([], []) == [0]


def test_likenesses_are_of_neighbours_only() -> None:
    assert likenesses([0, 1, 2], [(0, 1), (1, 2), (0, 2)], ["block1_conv", "block1_add", "block2_conv"]) == [7, 5, 0]


def test_a_cut_moves_to_where_few_edges_cross_it_and_then_to_where_names_change() -> None:
    even = [1, 1, 1, 1, 1, 1, 1, 0]
    assert breaks(even, [0] * 8, 2) == [3]
    assert breaks(even, [0] * 8, 4) == [1, 3, 5]
    assert breaks([2, 2, 1, 2, 2, 2, 2, 0], [0] * 8, 2) == [2]
    assert breaks([1, 2, 2, 2, 2, 2, 2, 0], [0] * 8, 2) == [3]  # row 0 is more than a quarter of a column away
    assert breaks(even, [9, 9, 9, 9, 4, 9, 9, 0], 2) == [4]
    assert breaks([1, 0], [0, 0], 1) == []
    assert breaks([0], [0], 3) == []

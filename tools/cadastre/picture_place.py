# SPDX-License-Identifier: MIT
"""Where the boxes of a picture go: in their rows, below what points to them, without overlaps."""
from __future__ import annotations

from cadastre.picture_nodes import Box, Cell, Graph

SWEEPS = 24
GAP = 22  # between the boxes of a row
CHARACTER = 6.1  # of the small type
BOLD_CHARACTER = 9.0  # of the names of spaces
CELL_PADDING = 10
BOX_MIN = 62

Placed = dict[Box, tuple[float, float]]  # left edge and width


def cell_width(cell: Cell) -> float:
    return max(len(line) for line in cell.lines) * CHARACTER + CELL_PADDING


def box_width(box: Box) -> float:
    inside = sum(map(cell_width, box.cells)) if box.kind == "table" else 0
    if box.kind == "space":
        inside = len(box.label) * BOLD_CHARACTER + 2 * CELL_PADDING
    # A table has both in one line, the others one above the other.
    n = len(box.label) + len(box.note) + 3 if box.kind == "table" else \
        max(len(box.label), len(box.note))
    return max(BOX_MIN, inside, (n + 2) * CHARACTER + CELL_PADDING)


def cell_centres(box: Box, left: float, width: float) -> dict[Cell, float]:
    """Where edges leave the box. The cells share what is left of its width."""
    if box.kind == "space":
        return {cell: left + width / 2 for cell in box.cells}
    spare = (width - sum(map(cell_width, box.cells))) / max(1, len(box.cells))
    centres, at = {}, left
    for cell in box.cells:
        centres[cell] = at + (cell_width(cell) + spare) / 2
        at += cell_width(cell) + spare
    return centres


def place(graph: Graph) -> Placed:
    """Left edge and width of every box; the leftmost begins at 0."""
    rows = [[box for box in graph.boxes if box.row == row] for row in range(graph.n_rows)]
    placed: Placed = {}
    for row in rows:
        at = 0.0
        for box in row:
            placed[box] = at, box_width(box)
            at += box_width(box) + GAP
    for sweep in range(SWEEPS):
        is_down = sweep % 2 == 0
        for row in rows if is_down else reversed(rows):
            wanted = _wanted(graph, placed, is_down)
            if sweep < SWEEPS // 2:
                row.sort(key=lambda box: wanted.get(box, _middle(placed, box)))
            _settle(row, wanted, placed)
    left = min((x for x, _ in placed.values()), default=0.0)
    return {box: (x - left, width) for box, (x, width) in placed.items()}


def _middle(placed: Placed, box: Box) -> float:
    return placed[box][0] + placed[box][1] / 2


def _wanted(graph: Graph, placed: Placed, is_down: bool) -> dict[Box, float]:
    """Where the middle of a box would best be: below its parents, or above its children."""
    pulls: dict[Box, list[float]] = {}
    for box in graph.boxes:
        centres = cell_centres(box, *placed[box])
        for cell, x in centres.items():
            if not cell.child:
                continue
            if is_down:
                pulls.setdefault(cell.child, []).append(x)
            else:
                pull = _middle(placed, cell.child) - x + _middle(placed, box)
                pulls.setdefault(box, []).append(pull)
    return {box: sum(pull) / len(pull) for box, pull in pulls.items()}


def _settle(row: list[Box], wanted: dict[Box, float], placed: Placed) -> None:
    """Boxes in the row's order, each as near to what it wants as the others let it: neighbours
    that would overlap become a block, which goes where they want to be on the average."""
    blocks: list[tuple[float, int, list[Box], float]] = []  # sum of wishes, n, boxes, width
    for box in row:
        width = placed[box][1]
        wish = wanted.get(box, _middle(placed, box)) - width / 2
        block = wish, 1, [box], width
        while blocks and blocks[-1][0] / blocks[-1][1] + blocks[-1][3] + GAP > block[0] / block[1]:
            total, n, boxes, before = blocks.pop()
            offset = before + GAP
            block = (total + block[0] - offset * block[1], n + block[1], boxes + block[2],
                     offset + block[3])
        blocks.append(block)
    for total, n, boxes, _ in blocks:
        at = total / n
        for box in boxes:
            placed[box] = at, placed[box][1]
            at += placed[box][1] + GAP

# SPDX-License-Identifier: MIT
"""Draws a placed graph: what is in which box, and the edges between them."""
from __future__ import annotations

from xml.etree import ElementTree as Xml

from cadastre.dump_parts import Space
from cadastre.picture_nodes import Box, Cell, Graph
from cadastre.picture_place import box_width, cell_centres, cell_width, place

# Fill and line of what belongs to a space.
COLOURS = (("#d9e8fb", "#2563a8"), ("#dcf2dd", "#2c8a43"), ("#fde8cd", "#bd6c00"),
           ("#fbdfe8", "#b93265"), ("#d5f0ee", "#0f7a72"), ("#ece2f8", "#6a3fa0"),
           ("#f8f2c8", "#857200"), ("#eee1d6", "#80522f"))
GREY = "#eef0f2", "#5c6670"
BANDS_MAX = 4  # colours in one box

LEFT = 118  # where the rows begin, behind their names
HEAD, LINE, PAD = 18, 12.5, 7
SPACE_HEIGHT, FRAMES_HEIGHT = 44, 36
ROW_GAP = 52

STYLE = """
text { font: 10px "DejaVu Sans Mono", Menlo, Consolas, monospace; fill: #1d2329; }
text.name { font: bold 14px "DejaVu Sans", Helvetica, Arial, sans-serif; }
text.small, text.row { font: 10px "DejaVu Sans", Helvetica, Arial, sans-serif; fill: #4a545e; }
text.row { font-size: 11px; }
text.title { font: bold 16px "DejaVu Sans", Helvetica, Arial, sans-serif; }
text.middle { text-anchor: middle; }
text.end { text-anchor: end; }
.line { stroke: #c9d0d6; fill: none; }
.box { stroke-width: 1.3; }
.joint { stroke-width: 2.6; }
.cell { fill: #ffffff; fill-opacity: .72; stroke: #8b959e; stroke-width: .7; }
.lazy { fill: #ffffff; fill-opacity: .35; stroke-dasharray: 3 2; }
.hidden { fill: none; stroke: none; }
.edge { fill: none; stroke: #39424b; stroke-width: 1.4; }
.no-w { stroke: #b3261e; stroke-dasharray: 5 3; }
.part { stroke: #8b959e; stroke-dasharray: 1.5 3; }
.twig { fill: none; stroke: #8b959e; }
text.grant { font: 12px "DejaVu Sans", Helvetica, Arial, sans-serif; }
text.gone { fill: #8b959e; text-decoration: line-through; }
.badge { fill: #b3261e; }
text.badge-text { font: bold 9px "DejaVu Sans", Helvetica, Arial, sans-serif; fill: #ffffff; }
"""


class Canvas:
    """An SVG element that things are drawn into."""

    def __init__(self, parent: Xml.Element | None = None, **attributes: object):
        make = Xml.Element if parent is None else lambda *a: Xml.SubElement(parent, *a)
        self.element = make("svg" if parent is None else "g", _texts(attributes))

    def put(self, tag: str, text: str = "", **attributes: object) -> Xml.Element:
        element = Xml.SubElement(self.element, tag, _texts(attributes))
        element.text = text or None
        return element

    def group(self, title: str = "", **attributes: object) -> "Canvas":
        inner = Canvas(self.element, **attributes)
        if title:
            inner.put("title", title)
        return inner

    def text(self, x: float, y: float, text: str, kind: str = "", **attributes: object) -> None:
        self.put("text", text, x=x, y=y, **({"class_": kind} if kind else {}), **attributes)

    def rect(self, x: float, y: float, width: float, height: float, **attributes: object) -> None:
        self.put("rect", x=x, y=y, width=width, height=height, **attributes)


def _texts(attributes: dict[str, object]) -> dict[str, str]:
    """class_ and stroke_width stand for class and stroke-width."""
    return {name.rstrip("_").replace("_", "-"):
            f"{value:.1f}".removesuffix(".0") if isinstance(value, float) else str(value)
            for name, value in attributes.items()}


class Palette:
    """The colours of spaces, and of what several of them reach."""

    def __init__(self, canvas: Canvas, spaces: list[Space]):
        self._definitions = canvas.put("defs")
        self._made: dict[tuple[int, ...], str] = {}
        self._order = {space: i for i, space in enumerate(spaces)}

    def of(self, space: Space) -> tuple[str, str]:
        return COLOURS[self._order[space] % len(COLOURS)] if space in self._order else GREY

    def fill(self, reach: frozenset[Space]) -> str:
        """One colour, or bands of several."""
        spaces = sorted(reach, key=self._order.__getitem__)
        if len(spaces) == 1:
            return self.of(spaces[0])[0]
        if not spaces or len(spaces) > BANDS_MAX:
            return GREY[0]
        key = tuple(self._order[space] for space in spaces)
        if key not in self._made:
            self._made[key] = "bands-" + "-".join(map(str, key))
            bands = Xml.SubElement(self._definitions, "linearGradient", id=self._made[key])
            for i, space in enumerate(spaces):
                for at in (i, i + 1):
                    Xml.SubElement(bands, "stop", {"offset": f"{at / len(spaces):.3f}",
                                                   "stop-color": self.of(space)[0]})
        return f"url(#{self._made[key]})"

    def line(self, reach: frozenset[Space]) -> str:
        return self.of(next(iter(reach)))[1] if len(reach) == 1 else GREY[1]


def reach_text(reach: frozenset[Space]) -> str:
    """For the page: which spaces to light up together."""
    return " ".join(f"s{space.id:x}" for space in sorted(reach, key=lambda space: space.id))


class Drawing:
    """The tree of one graph, on a canvas. `width` and `height` are what it took."""

    def __init__(self, canvas: Canvas, palette: Palette, graph: Graph, top: float):
        self.canvas, self.palette, self.graph = canvas, palette, graph
        self.x = {box: (x + LEFT, width) for box, (x, width) in place(graph).items()}
        self.width = max((x + width for x, width in self.x.values()), default=0.0)
        self.y, self.height = self._rows(top)
        self._names_of_rows()
        for box in graph.boxes:
            self._edges_from(box)
        for box in graph.boxes:
            self._box(box)

    def _box_height(self, box: Box) -> float:
        if box.kind == "space":
            return SPACE_HEIGHT
        if box.kind == "frames":
            return FRAMES_HEIGHT
        return HEAD + max((len(cell.lines) for cell in box.cells), default=0) * LINE + PAD

    def _rows(self, top: float) -> tuple[list[float], float]:
        ys = []
        for row in range(self.graph.n_rows):
            ys.append(top)
            heights = [self._box_height(box) for box in self.graph.boxes if box.row == row]
            top += max(heights, default=0) + ROW_GAP if heights else 0
        return ys, top - ROW_GAP

    def _names_of_rows(self) -> None:
        levels = self.graph.dump.levels
        reach = {1: "4 KiB", 2: "2 MiB", 3: "1 GiB", 4: "512 GiB", 5: "256 TiB"}
        for row in sorted({box.row for box in self.graph.boxes}):
            level = levels + 1 - row
            names = ["spaces"] if row == 0 else ["frames"] if level == 0 else [
                f"level {level}", f"{reach[level]} an entry"]
            for i, name in enumerate(names):
                self.canvas.text(8, self.y[row] + 14 + 13 * i, name, "row" if i == 0 else "small")

    # Edges.

    def _arrivals(self, child: Box) -> dict[Cell, float]:
        """Where on a box's top its edges end: side by side, as they come."""
        sources = [(centre, cell) for box in self.graph.boxes
                   for cell, centre in cell_centres(box, *self.x[box]).items()
                   if cell.child is child]
        sources.sort(key=lambda pair: pair[0])
        left, width = self.x[child]
        step = min(18.0, width / (len(sources) + 1))
        first = left + width / 2 - step * (len(sources) - 1) / 2
        return {cell: first + i * step for i, (_, cell) in enumerate(sources)}

    def _edges_from(self, box: Box) -> None:
        for cell, x in cell_centres(box, *self.x[box]).items():
            if not cell.child:
                continue
            y, x2 = self.y[box.row] + self._box_height(box), self._arrivals(cell.child)[cell]
            y2 = self.y[cell.child.row]
            bend = (y2 - y) / 2
            edge = self.canvas.group(cell.title, class_="reach", data_reach=reach_text(box.reach))
            edge.put("path", d=f"M{x:.1f},{y:.1f} C{x:.1f},{y + bend:.1f} {x2:.1f},"
                     f"{y2 - bend:.1f} {x2:.1f},{y2 - 5:.1f}",
                     class_="edge" if cell.passes_writes else "edge no-w")
            edge.put("path", d=f"M{x2 - 4:.1f},{y2 - 7:.1f} L{x2:.1f},{y2:.1f} "
                     f"L{x2 + 4:.1f},{y2 - 7:.1f} z",
                     fill="#39424b" if cell.passes_writes else "#b3261e")
        if box.block:
            self._part_edge(box, box.block)

    def _part_edge(self, part: Box, block: Box) -> None:
        x, width = self.x[block]
        x2, width2 = self.x[part]
        y, y2 = self.y[block.row] + self._box_height(block), self.y[part.row]
        group = self.canvas.group("a part of that large page")
        group.put("path", d=f"M{x + width / 2:.1f},{y:.1f} L{x2 + width2 - 8:.1f},{y2:.1f}",
                  class_="edge part")

    # Boxes.

    def _box(self, box: Box) -> None:
        x, width = self.x[box]
        y, height = self.y[box.row], self._box_height(box)
        group = self.canvas.group(box.title, class_=f"reach {box.kind}",
                                  data_reach=reach_text(box.reach))
        is_joint = box.n_parents > 1
        looks = {"fill": self.palette.fill(box.reach), "stroke": self.palette.line(box.reach),
                 "class_": "box joint" if is_joint else "box",
                 "rx": {"space": 10, "table": 3, "frames": 0}[box.kind]}
        if box.n > 1:
            group.rect(x + 5, y + 5, width, height, **looks)
        group.rect(x, y, width, height, **looks)
        if box.kind == "table":
            self._table(group, box, x, y, width)
        else:
            name = "name middle" if box.kind == "space" else "middle"
            group.text(x + width / 2, y + 17, box.label, name)
            group.text(x + width / 2, y + (33 if box.kind == "space" else 29), box.note,
                       "small middle")
        if is_joint:
            self._badge(group, x + width, y, box.n_parents)

    def _badge(self, group: Canvas, x: float, y: float, n: int) -> None:
        group.rect(x - 13, y - 8, 22, 14, rx=7, class_="badge")
        group.text(x - 2, y + 2.5, f"×{n}", "badge-text middle")

    def _table(self, group: Canvas, box: Box, x: float, y: float, width: float) -> None:
        label = f"{box.n:,} alike" if box.n > 1 else box.label
        group.text(x + 5, y + 12.5, label)
        group.text(x + width - (14 if box.n_parents > 1 else 5), y + 12.5, box.note, "small end")
        n_lines = max((len(cell.lines) for cell in box.cells), default=0)
        height = n_lines * LINE + PAD - 4
        for cell, centre in cell_centres(box, x, width).items():
            spare = (width - sum(map(cell_width, box.cells))) / len(box.cells)
            w = cell_width(cell) + spare
            inner = group.group(cell.title)
            inner.rect(centre - w / 2 + 2, y + HEAD, w - 4, height, class_=f"cell {cell.kind}")
            first = y + HEAD + 11 + (n_lines - len(cell.lines)) * LINE / 2
            for i, line in enumerate(cell.lines):
                inner.text(centre, first + i * LINE, line, "middle")

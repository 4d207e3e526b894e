# SPDX-License-Identifier: MIT
"""A picture of a dump: spaces, tables and frames; grants and accounts; what the signs mean.

    with Shell() as sh:
        ...
        Path("picture.html").write_text(page(sh.dump()))    # or draw(), for the SVG alone
"""
from __future__ import annotations

from html import escape
from xml.etree import ElementTree as Xml

from cadastre.dump import Dump
from cadastre.dump_parts import Space
from cadastre.picture_nodes import Graph, plural
from cadastre.picture_panels import accounts_panel, grants_panel, legend_panel
from cadastre.picture_svg import STYLE, Canvas, Drawing, Palette

MARGIN, BETWEEN = 20, 40


def shown_spaces(dump: Dump, is_all: bool = False) -> list[Space]:
    """Those that the shell's user made, oldest first; all, if asked for or if there are none."""
    named = {grant.space for grant in dump.names.values() if grant}
    spaces = list(dump.spaces.values())[::-1]
    return [space for space in spaces if is_all or not named or space in named]


def draw(dump: Dump, spaces: list[Space] | None = None) -> str:
    """The picture as the text of an SVG file."""
    spaces = shown_spaces(dump) if spaces is None else spaces
    canvas = Canvas(xmlns="http://www.w3.org/2000/svg")
    canvas.put("title", "Cadastre: who holds which memory")
    canvas.put("style", STYLE)
    palette = Palette(canvas, spaces)
    canvas.rect(0, 0, "100%", "100%", fill="#ffffff")
    canvas.text(MARGIN, 28, "Spaces, page tables and frames", "title")
    canvas.text(MARGIN, 45, _summary(dump, spaces), "small")
    drawing = Drawing(canvas, palette, Graph(dump, spaces), 70)
    width, height = _panels(canvas, palette, dump, spaces, drawing)
    canvas.element.attrib.update(width=f"{width:.0f}", height=f"{height:.0f}",
                                 viewBox=f"0 0 {width:.0f} {height:.0f}")
    return Xml.tostring(canvas.element, encoding="unicode")


def _summary(dump: Dump, spaces: list[Space]) -> str:
    s = dump.state
    others = [space.name for space in dump.spaces.values() if space not in spaces]
    not_drawn = f"; not drawn: {', '.join(others)}" if others else ""
    return (f"{s.n_boot:,} frames: {s.n_free:,} free, {s.n_charged:,} charged, {s.n_reserved:,} "
            f"reserved; {plural(len(dump.spaces), 'space')}, {plural(len(dump.tables), 'table')}, "
            f"{plural(len(dump.grants), 'grant')}{not_drawn}")


def _panels(canvas: Canvas, palette: Palette, dump: Dump, spaces: list[Space],
            drawing: Drawing) -> tuple[float, float]:
    """Below the tree, side by side; the size of the whole picture."""
    top = drawing.height + BETWEEN
    grants = grants_panel(canvas, palette, dump, spaces, MARGIN, top)
    accounts_x = MARGIN + grants[0] + BETWEEN
    accounts = accounts_panel(canvas, palette, dump, accounts_x, top)
    legend_x = accounts_x + accounts[0] + BETWEEN
    legend = legend_panel(canvas, legend_x, top)
    width = max(drawing.width, legend_x + legend[0]) + MARGIN
    height = top + max(grants[1], accounts[1], legend[1]) + MARGIN
    canvas.put("path", d=f"M{MARGIN},{top - BETWEEN / 2} H{width - MARGIN}", class_="line")
    return width, height


def page(dump: Dump, spaces: list[Space] | None = None) -> str:
    """The same in a page of its own: what the pointer is on lights up all that belongs to it."""
    return _PAGE.format(summary=escape(_summary(dump, spaces or shown_spaces(dump))),
                        svg=draw(dump, spaces))


_PAGE = """<!DOCTYPE html>
<html lang="en">
<meta charset="utf-8">
<title>Cadastre: who holds which memory</title>
<style>
body {{ margin: 1.5em; color: #1d2329; }}
p {{ font: 15px/1.5 "DejaVu Sans", Helvetica, Arial, sans-serif; }}
svg {{ max-width: none; }}
.reach {{ transition: opacity .15s; }}
.lit .reach:not(.on) {{ opacity: .15; }}
</style>
<p>{summary}. Rest the pointer on anything for what it is; what belongs to the same spaces lights
up.</p>
{svg}
<script>
const svg = document.querySelector("svg");
const parts = [...svg.querySelectorAll(".reach")];
const spaces = part => part.dataset.reach.split(" ").filter(Boolean);
for (const part of parts) {{
    part.addEventListener("pointerenter", () => {{
        const wanted = new Set(spaces(part));
        svg.classList.toggle("lit", wanted.size > 0);
        parts.forEach(p => p.classList.toggle("on", spaces(p).some(s => wanted.has(s))));
    }});
    part.addEventListener("pointerleave", () => svg.classList.remove("lit"));
}}
</script>
</html>
"""

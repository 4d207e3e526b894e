# SPDX-License-Identifier: MIT
"""What stands below the tree: the grants and their derivations, the accounts, the legend.

Each panel draws itself at (x, y) and answers its width and height.
"""
from __future__ import annotations

from collections.abc import Iterator

from cadastre.dump import Dump
from cadastre.dump_lineage import shared_through
from cadastre.dump_parts import Account, Grant, Space
from cadastre.header import constants
from cadastre.memory import PAGE
from cadastre.picture_nodes import plural
from cadastre.picture_svg import GREY, Canvas, Palette, reach_text

ROW, INDENT, COLUMN = 20, 18, 17
BAR = 320

RIGHTS = sorted(((bit, name.removeprefix("RIGHT_").lower())
                 for name, bit in constants("lib/ipc/vmm_protocol.h").items()
                 if name.startswith("RIGHT_")))


def _walk(grants: list[Grant], depth: int = 0) -> Iterator[tuple[Grant, int]]:
    todo = [(grant, depth) for grant in reversed(grants)]
    while todo:
        grant, depth = todo.pop()
        yield grant, depth
        todo += [(child, depth + 1) for child in reversed(grant.children)]


def _window(dump: Dump, grant: Grant) -> str:
    if (grant.first, grant.pages) == (0, dump.state.user_pages):
        return "all of it"
    end = (grant.first + grant.pages) * PAGE
    return f"{grant.first * PAGE:#x}–{end:#x}, {plural(grant.pages, 'page')}"


def grants_panel(canvas: Canvas, palette: Palette, dump: Dump, spaces: list[Space], x: float,
                 y: float) -> tuple[float, float]:
    """A tree of derivations for each space: a line for each grant, a dot for each right."""
    rows = [(grant, depth) for space in spaces for grant, depth in _walk(space.grants)]
    revoked = [name for name, grant in dump.names.items() if grant is None]
    names = max([len(_label(grant)) * 7.3 + depth * INDENT for grant, depth in rows], default=0)
    passed = {grant: _passed(dump, grant) for grant, _ in rows}
    windows = x + 30 + max(names, 60)
    through = windows + max([len(_window(dump, grant)) * 6.1 for grant, _ in rows], default=0) + 18
    dots = through + max(map(len, passed.values()), default=0) * 6.1 + 24
    canvas.text(x, y + 14, "Grants and what was derived from them", "title")
    top = y + 92
    if any(passed.values()):
        canvas.text(through, top - 20, "shared through it", "small")
    for i, (_, name) in enumerate(RIGHTS):
        at = dots + i * COLUMN
        canvas.text(at, top - 12, name, "small", transform=f"rotate(-55 {at} {top - 12})")
    parents: dict[Grant, float] = {}
    for i, (grant, depth) in enumerate(rows):
        middle = top + i * ROW
        parents[grant] = middle
        canvas.text(through, middle + 4, passed[grant])
        _grant(canvas, palette, dump, grant, (x + depth * INDENT, middle, windows, dots), parents)
    for i, name in enumerate(revoked):
        middle = top + (len(rows) + i) * ROW
        canvas.text(x + 14, middle + 4, f"{name}  revoked", "gone")
    height = 92 + (len(rows) + len(revoked)) * ROW
    return dots + len(RIGHTS) * COLUMN + 40 - x, height


def _passed(dump: Dump, grant: Grant) -> str:
    """Which pages came through the grant, and are there now."""
    passed = shared_through(dump, grant)
    return ", ".join(f"{plural(passed[space], 'page')} in {space.name}"
                     for space in sorted(passed, key=lambda space: space.name))


def _label(grant: Grant) -> str:
    return grant.name or f"grant {grant.number}"


def _grant(canvas: Canvas, palette: Palette, dump: Dump, grant: Grant,
           at: tuple[float, float, float, float], parents: dict[Grant, float]) -> None:
    x, y, windows, dots = at
    rights = [name for bit, name in RIGHTS if grant.rights & bit]
    group = canvas.group(f"grant {grant.number} on {grant.space.name}\n{_window(dump, grant)}\n"
                         + ", ".join(rights), class_="reach",
                         data_reach=reach_text(frozenset({grant.space})))
    if grant.parent:
        up = parents[grant.parent]
        group.put("path", d=f"M{x - INDENT + 5},{up + 6} V{y} H{x}", class_="twig")
    fill, line = palette.of(grant.space)
    group.put("circle", cx=x + 5, cy=y, r=5, fill=fill, stroke=line)
    group.text(x + 16, y + 4, _label(grant), "grant")
    group.text(windows, y + 4, _window(dump, grant))
    for i, (bit, _) in enumerate(RIGHTS):
        has = grant.rights & bit
        group.put("circle", cx=dots + i * COLUMN + 2, cy=y, r=4 if has else 1.2,
                  fill=line if has else "#c9d0d6")


def accounts_panel(canvas: Canvas, palette: Palette, dump: Dump, x: float,
                   y: float) -> tuple[float, float]:
    """A bar for each account: what is charged, what is lent to others, what is left."""
    owners = {space.account: space for space in dump.spaces.values() if space.has_own_account}
    canvas.text(x, y + 14, "Accounts: who pays for frames", "title")
    rows = list(_accounts(dump))
    for i, (account, depth) in enumerate(rows):
        top = y + 40 + i * 36
        owner = owners.get(account)
        reach = reach_text(frozenset({owner})) if owner else ""
        group = canvas.group(f"account {account.id:#x}\n{plural(account.refs, 'reference')}: "
                             "spaces and accounts below it", class_="reach", data_reach=reach)
        _account(group, account, palette.of(owner) if owner else GREY, x + depth * INDENT, top)
    return BAR + 3 * INDENT, 40 + len(rows) * 36


def _accounts(dump: Dump) -> Iterator[tuple[Account, int]]:
    todo = [(account, 0) for account in dump.accounts.values() if not account.parent]
    while todo:
        account, depth = todo.pop()
        yield account, depth
        todo += [(child, depth + 1) for child in dump.accounts.values() if child.parent is account]


def _account(group: Canvas, account: Account, colours: tuple[str, str], x: float,
             y: float) -> None:
    fill, line = colours
    text = f"{account.charged:,} charged"
    if account.lent:
        text += f" + {account.lent:,} lent"
    group.text(x, y, account.name, "grant")
    group.text(x + BAR, y, f"{text} of {account.quota:,}", "small end")
    charged = BAR * account.charged / account.quota
    lent = BAR * account.lent / account.quota
    group.rect(x, y + 5, BAR, 11, fill="#ffffff", stroke="#c9d0d6")
    group.rect(x, y + 5, charged, 11, fill=line)
    group.rect(x + charged, y + 5, lent, 11, fill=fill, stroke=line, stroke_width=0.7)


LEGEND_WIDTH = 390


def legend_panel(canvas: Canvas, x: float, y: float) -> tuple[float, float]:
    canvas.text(x, y + 14, "How to read it", "title")
    rows = (("edge", "W is set: the table below has this one parent; the page can be written"),
            ("edge no-w", "W is clear: no write passes. The first one copies the path, then"),
            ("", "the page (cow), or is refused (r--)"),
            ("edge part", "the frames are a part of that large page"),
            ("joint", "has several parents, as many as the red number says"),
            ("bands", "reached from the spaces of these colours"),
            ("cell", "[i–j]: entries of a table; a page's say where and with what rights"),
            ("cell lazy", "demand-zero: one entry, no memory yet, at any level"),
            ("stack", "so many tables or pages that are alike, drawn once"))
    for i, (kind, text) in enumerate(rows):
        _sign(canvas, kind, x, y + 32 + i * 19)
        canvas.text(x + 44, y + 40 + i * 19, text, "small")
    return LEGEND_WIDTH, 32 + len(rows) * 19


def _sign(canvas: Canvas, kind: str, x: float, y: float) -> None:
    if kind.startswith("edge"):
        canvas.put("path", d=f"M{x},{y + 5} H{x + 34}", class_=kind)
    elif kind.startswith("cell"):
        canvas.rect(x + 4, y - 1, 26, 13, class_=kind)
    elif kind == "joint":
        canvas.rect(x + 4, y - 1, 26, 13, fill=GREY[0], stroke=GREY[1], class_="box joint", rx=3)
    elif kind == "bands":
        canvas.rect(x + 4, y - 1, 13, 13, fill="#d9e8fb")
        canvas.rect(x + 17, y - 1, 13, 13, fill="#fde8cd")
        canvas.rect(x + 4, y - 1, 26, 13, fill="none", stroke=GREY[1])
    elif kind == "stack":
        for offset in (3, 0):
            canvas.rect(x + 4 + offset, y - 2 + offset, 24, 11, fill=GREY[0], stroke=GREY[1])

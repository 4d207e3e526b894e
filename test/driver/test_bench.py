# SPDX-License-Identifier: MIT
"""The tools of `make bench`, on lines and logs made up here."""
import dataclasses
import re
import subprocess

import pytest

from cadastre import bench_linux, bench_plot, bench_record
from cadastre.bench_log import count, read, sample
from cadastre.bench_report import Results, table
from cadastre.bench_rows import ROWS, check_counter, net, parse
from cadastre.bench_tables import changed

CALIBRATION = ["# bench: bracket 4 4 1 1 0 0", "# bench: known_loop 2000001 2000001 5 1 0 0",
               "# bench: zero_nothing 4 4 9 1 0 0", "# bench: zero_page 516 516 9 1 0 0",
               "# bench: copy_nothing 4 4 9 1 0 0", "# bench: copy_page 516 516 9 1 0 0"]


def test_a_row_is_what_one_operation_costs_without_zeroing():
    measured = parse([*CALIBRATION, "ok 1 - meter: pages", "# bench: map_2 1124 1104 9 2 2 0"])
    assert net(measured, "map_2") == 562
    assert net(measured, "map_2", "zeroing") == 50
    assert net(measured, "map_2", "zeroing", "least") == 40
    assert net(measured, "map_3") is None


@pytest.mark.parametrize("line", ["# bench: known_loop 2000002 2000002 5 1 0 0",
                                  "# bench: zero_page 515 515 9 1 0 0",
                                  "# bench: copy_page 2052 2052 9 1 0 0"])
def test_a_counter_of_something_else_is_refused(line):
    check_counter(parse(CALIBRATION))
    with pytest.raises(ValueError):
        check_counter(parse([*CALIBRATION, line]))


def test_rows_have_names_of_their_own():
    assert len({row.name for row in ROWS}) == len(ROWS)


# Two programs at one address, a system call, a fault whose instruction runs twice, an instruction that
# an interrupt kept from running.
LOG = """\
----------------
IN:
0x00400000:  0f 31                    rdtsc

Trace 0: 0x7f0000000100 [0000000000000000/0000000000400000/18c0cab3/ff020201]
----------------
IN:
0x00400002:  0f 05                    syscall

Trace 0: 0x7f0000000200 [0000000000000000/0000000000400002/18c0cab3/ff020201]
----------------
IN:
0xffffffff80000000:  0f 22 d9                 movq     %rcx, %cr3

Trace 0: 0x7f0000000300 [0000000000000000/ffffffff80000000/18c0ca90/ff020201] syscall_entry
----------------
IN:
0xffffffff80000003:  0f 01 38                 invlpg   (%rax)

Trace 0: 0x7f0000000400 [0000000000000000/ffffffff80000003/18c0ca90/ff020201]
----------------
IN:
0x00400000:  c6 00 01                 movb     $1, (%rax)

Trace 0: 0x7f0000000500 [0000000000000000/0000000000400000/18c0cab3/ff020201]
Trace 0: 0x7f0000000300 [0000000000000000/ffffffff80000000/18c0ca90/ff020201]
Trace 0: 0x7f0000000500 [0000000000000000/0000000000400000/18c0cab3/ff020201]
----------------
IN:
0x00400003:  f3 48 ab                 rep stosq %rax, %es:(%rdi)

Trace 0: 0x7f0000000600 [0000000000000000/0000000000400003/18c0cab3/ff020201]
Trace 0: 0x7f0000000600 [0000000000000000/0000000000400003/18c0cab3/ff020201]
Stopped execution of TB chain before 0x7f0000000600 [0000000000400003] 
Trace 0: 0x7f0000000100 [0000000000000000/0000000000400000/18c0cab3/ff020201]
"""


def test_a_log_is_read_instruction_by_instruction():
    ran = read(LOG.splitlines())
    assert [one.text.split()[0] for one in ran] == [
        "rdtsc", "syscall", "movq", "invlpg", "movb", "movq", "movb", "rep", "rdtsc"]
    counts = count(sample(ran), entries=3, bracket=1)
    assert counts.instructions == 6  # the fault's instruction once, without the counter
    assert (counts.kernel_entries, counts.cr3_loads, counts.invalidations) == (2, 2, 1)
    assert (counts.zeroing_steps, counts.copying_steps, counts.entries) == (1, 0, 3)
    assert counts.weight() == 2 * 100 + 2 * 200 + 1 * 100


def test_a_log_without_counters_is_no_sample():
    with pytest.raises(ValueError):
        sample(read(LOG.splitlines()[:8]))


def test_changed_entries_are_counted_in_new_tables_too():
    old = bytes(4096)
    new = (7).to_bytes(8, "little") + bytes(4080) + (9).to_bytes(8, "little")
    assert changed({1: old, 2: new}, {1: new, 2: new}) == 2
    assert changed({}, {5: new}) == 2
    assert changed({1: new}, {}) == 0


def results(**ours):
    return Results(ours, weighted={name: cost + 300 for name, cost in ours.items()})


def recorded(**ours):
    return {"ours": ours, "weighted": {name: cost + 300 for name, cost in ours.items()}}


def test_three_per_cent_more_is_no_breach_and_less_never_is():
    assert not bench_record.breaches(recorded(null=100), results(null=103))
    assert not bench_record.breaches(recorded(null=100), results(null=1))


@pytest.mark.parametrize("before, now", [({"null": 100}, {"null": 104}), ({"null": 100}, {}),
                                         ({}, {"null": 1})])
def test_more_and_rows_on_one_side_are_breaches(before, now):
    (problem, *_) = bench_record.breaches(recorded(**before), results(**now))
    assert problem.startswith("null ")


def test_a_weighted_number_may_be_the_only_one_that_is_worse():
    now = dataclasses.replace(results(null=100), weighted={"null": 700})
    assert [problem.split()[0] for problem in bench_record.breaches(recorded(null=100), now)] == [
        "null"]


def test_recording_keeps_what_linux_cost(tmp_path):
    path = tmp_path / "recorded.json"
    bench_record.save(path, dataclasses.replace(results(null=100), linux={"null": 312}))
    bench_record.save(path, results(null=90))
    assert bench_record.load(path)["linux"] == {"null": 312}
    assert bench_record.load(path)["ours"] == {"null": 90}


def test_the_table_of_a_readme_is_replaced():
    readme = f"Text.\n\n{bench_record.README_HEAD}| old | | | 1 |\n\nMore.\n"
    new = bench_record.with_table(readme, bench_record.readme_table(
        {"ours": {"call_4": 176}, "linux": {"call_4": 10267}}))
    assert "old" not in new and new.startswith("Text.") and new.endswith("\n\nMore.\n")
    assert "| 499 | 10,267 | 176 |" in new


def test_the_table_tells_what_is_reached():
    lines = table(results(null=25, call_0=151, notify=50)).splitlines()
    words = {line.split("  ")[0]: re.findall(r"reached|dream|[\d.]+ x", line) for line in lines[1:]}
    assert list(words.values()) == [["reached"], ["1.0 x"], ["reached"]]


def test_an_archive_is_one_that_cpio_would_read(tmp_path):
    init = tmp_path / "init"
    init.write_bytes(b"\x7fELF!")
    bench_linux.write_initramfs(init, tmp_path / "archive")
    data, at, found = (tmp_path / "archive").read_bytes(), 0, {}
    while data[at:at + 6] == b"070701":
        fields = [int(data[at + 6 + 8 * i:at + 14 + 8 * i], 16) for i in range(13)]
        name_at = at + 110
        body_at = name_at + fields[11] + -(name_at + fields[11]) % 4
        found[data[name_at:name_at + fields[11] - 1].decode()] = (
            fields[1], data[body_at:body_at + fields[6]])
        at = body_at + fields[6] + -fields[6] % 4
    assert found["init"] == (0o100755, b"\x7fELF!") and found["proc"][0] == 0o40755
    assert list(found)[-1] == "TRAILER!!!" and at == len(data)


def test_without_apt_there_is_no_linux_but_a_reason(tmp_path, monkeypatch):
    def fails(*arguments, **more):
        return subprocess.CompletedProcess(arguments, 100, "", "E: no network\n")
    monkeypatch.setattr(subprocess, "run", fails)
    with pytest.raises(bench_linux.NoLinux, match="E: no network"):
        bench_linux.kernel(tmp_path)


def test_a_plot_has_the_points_of_both_systems(tmp_path):
    points = bench_plot.series(parse([*CALIBRATION, "# bench: series_map_1 612 612 5 1 1 0",
                                      "# bench: series_map_16 9192 9192 5 1 16 0"]))
    assert points == {"map": {1: 100, 16: 1000}}
    bench_plot.write({"Cadastre": points, "Linux": {"map": {1: 5000}}}, tmp_path / "plot.svg")
    assert "Linux" in (tmp_path / "plot.svg").read_text()

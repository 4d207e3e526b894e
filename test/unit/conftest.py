# SPDX-License-Identifier: MIT
"""Collects the cmocka tests: each test of each test/unit/GROUP/test_*.c is a pytest test."""
from functools import cached_property
from pathlib import Path

import pytest

from cadastre import cmocka

TOP = Path(__file__).resolve().parents[2]
BUILD = TOP / "build"


class CmockaFile(pytest.File):
    """A source of tests, and the program built of it."""

    broken = None  # or why the program cannot be asked for its tests

    @cached_property
    def program(self):
        return BUILD / self.path.relative_to(TOP).with_suffix("")

    def collect(self):
        try:
            self.names = cmocka.list_tests(self.program)
        except cmocka.TestFailed as error:
            self.names, self.broken = ["cannot_be_listed"], error
        for name in self.names:
            yield CmockaTest.from_parent(self, name=name)

    @cached_property
    def run(self):
        if self.broken:
            raise self.broken
        profile = BUILD / "profile" / self.program.relative_to(BUILD).with_suffix(".profraw")
        return cmocka.Run(self.program, self.names, profile)


class CmockaTest(pytest.Item):
    """One test of a program. All tests of a program belong to one worker: it runs only once."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.add_marker(pytest.mark.xdist_group(str(self.path.relative_to(TOP))))

    def runtest(self):
        try:
            self.parent.run.check(self.name)
        except cmocka.TestSkipped as skipped:
            pytest.skip(str(skipped))

    def repr_failure(self, excinfo, style=None):
        if isinstance(excinfo.value, cmocka.TestFailed):
            return str(excinfo.value)
        return super().repr_failure(excinfo, style)

    def reportinfo(self):
        return self.path, None, f"{self.path.parent.name}/{self.path.stem}: {self.name}"


def pytest_collect_file(file_path, parent):
    if file_path.suffix == ".c" and file_path.name.startswith("test_"):
        return CmockaFile.from_parent(parent, path=file_path)
    return None

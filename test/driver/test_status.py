# SPDX-License-Identifier: MIT
"""The status list as Python reads it out of the C header."""
import pytest

from cadastre import status


def test_the_list_is_the_headers():
    assert status.by_name()["OK"].value == 0
    assert status.by_value()[-8] == status.Status("E_NOMEM", -8, "no free frame is left")
    assert status.HEADER.read_text().count("    X(") == len(status.statuses())


@pytest.mark.parametrize("text", [
    "", 'X(A, 0, "a") X(A, -1, "b")', 'X(A, 0, "a") X(B, 0, "b")'])
def test_a_list_that_cannot_be_right_is_refused(tmp_path, text):
    header = tmp_path / "status.h"
    header.write_text(text)
    with pytest.raises(ValueError, match="no status list, or names or values that repeat"):
        status.statuses(header)

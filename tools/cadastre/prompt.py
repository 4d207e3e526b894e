# SPDX-License-Identifier: MIT
"""The front end of the shell: a prompt on a terminal, nothing but the answers into a pipe; or
commands from a file, of which nothing is shown but what is refused."""
from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from pathlib import Path

from cadastre import status
from cadastre.machine import BootError
from cadastre.shell import Shell, ShellError, wants_answer

PROMPT = "cadastre> "
HISTORY = Path(os.environ.get("XDG_STATE_HOME", Path.home() / ".local/state")) / "cadastre_history"
HISTORY_LINES = 1000
WORDS = ("4K", "2M", "1G", "copy", "cow", "lazy", "now", "quota", "---", "r--", "r-x", "rw-")


def _is_quit(line: bytes) -> bool:
    return line.split() == [b"quit"]


def _pipe(shell: Shell) -> None:
    for line in sys.stdin.buffer:
        if _is_quit(line):
            return
        if wants_answer(line):
            shell.send(line)
            for answer in shell.answer():
                print(answer, flush=True)


class _Completer:
    """Completes the first word to a command, others to names and to what the grammar knows."""

    def __init__(self, shell: Shell):
        self.shell = shell
        self.commands = sorted(line.split()[0] for line in shell.run("help"))

    def _words(self) -> list[str]:
        import readline
        before = readline.get_line_buffer()[:readline.get_begidx()].split()
        if not before:
            return self.commands
        if before[0] == "help":
            return self.commands
        return [line.split()[0] for line in self.shell.run("list")] + list(WORDS)

    def __call__(self, text: str, nth: int) -> str | None:
        if nth == 0:
            self.found = [f"{word} " for word in self._words() if word.startswith(text)]
        return self.found[nth] if nth < len(self.found) else None


def _open_history(shell: Shell) -> None:
    import readline
    readline.set_completer(_Completer(shell))
    readline.set_completer_delims(" \t")
    readline.parse_and_bind("tab: complete")
    readline.set_history_length(HISTORY_LINES)
    try:
        readline.read_history_file(HISTORY)
    except OSError:
        pass  # there is none yet


def _save_history() -> None:
    import readline
    try:
        HISTORY.parent.mkdir(parents=True, exist_ok=True)
        readline.write_history_file(HISTORY)
    except OSError as error:
        print(f"cadastre: the history is not kept: {error}", file=sys.stderr)


def _explain(error: ShellError) -> str:
    known = status.by_name().get(error.name)
    text = error.text or (known.text if known else "")
    return f"error: {error.name}" + (f": {text}" if text else "")


def _terminal(shell: Shell) -> None:
    print(f"{shell.config}. `help` lists the commands, `quit` or Ctrl-D ends the machine.")
    _open_history(shell)
    try:
        while not _is_quit((line := input(PROMPT)).encode()):
            try:
                for answer in shell.run(line.encode("utf-8", "surrogateescape")):
                    print(answer)
            except ShellError as error:
                print(*error.lines, _explain(error), sep="\n")
    except EOFError:
        print()
    finally:
        _save_history()


def do_commands(shell: Shell, lines: Iterable[bytes]) -> int:
    """Does the commands up to `quit`, and says which ones are refused; how many."""
    refused = 0
    for line in lines:
        if _is_quit(line):
            break
        try:
            shell.run(line.strip())
        except ShellError as error:
            print(f"cadastre: {error}", file=sys.stderr)
            refused += 1
    return refused


def front_end(shell: Shell) -> int:
    """Talks to the machine until `quit` or the end of the input. 0 if the machine ended well."""
    try:
        with shell:
            _terminal(shell) if sys.stdin.isatty() else _pipe(shell)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except (BootError, AssertionError) as error:
        print(f"cadastre: {error}", file=sys.stderr)
        return 1
    return 0

"""Running a script or a module as python itself would, with torch meaning adjoint."""

from __future__ import annotations

import importlib.machinery
import io
import os
import runpy
import sys
from collections.abc import Callable
from types import TracebackType
from typing import NoReturn

from ._torch import install
from ._wanted import wanted_names

__all__ = ["run_module", "run_script"]


def run_script(path: str, arguments: list[str]) -> None:
    """Run the file at `path` as `python path arguments` does; a folder's or zip file's
    `__main__.py` too."""
    sys.argv = [path, *arguments]
    if os.path.isdir(path) or path.endswith((".zip", ".pyz")):
        _replace_first_path(path)
        _run(lambda: runpy._run_module_as_main("__main__", alter_argv=False))  # type: ignore[attr-defined]
        return
    absolute = os.path.abspath(path)
    try:
        with io.open_code(absolute) as file:
            source = file.read()
    except OSError as error:
        reason = f"[Errno {error.errno}] {error.strerror}"
        print(f"{sys.executable}: can't open file {absolute!r}: {reason}", file=sys.stderr)
        sys.exit(2)
    _replace_first_path(os.path.dirname(os.path.realpath(path)))
    main = sys.modules["__main__"]
    builtins = main.__dict__["__builtins__"]
    main.__dict__.clear()
    main.__dict__.update(
        __name__="__main__",
        __doc__=None,
        __package__=None,
        __loader__=importlib.machinery.SourceFileLoader("__main__", absolute),
        __spec__=None,
        __annotations__={},
        __builtins__=builtins,
        __file__=absolute,
        __cached__=None,
    )
    _run(lambda: exec(compile(source, absolute, "exec", dont_inherit=True), main.__dict__))


def run_module(name: str, arguments: list[str]) -> None:
    """Run a module as `python -m name arguments` does."""
    sys.argv = [name, *arguments]  # its first entry becomes the module's file
    _run(lambda: runpy._run_module_as_main(name))  # type: ignore[attr-defined]


def _replace_first_path(folder: str) -> None:
    if getattr(sys.flags, "safe_path", False):  # python -P: no folder of the program
        return
    sys.path[0] = folder


def _run(program: Callable[[], object]) -> None:
    install()
    try:
        program()
    except SystemExit:
        raise
    except BaseException as error:
        _report(error)


def _report(error: BaseException) -> NoReturn:
    """Print the traceback as python does, without our frames; then what the program lacked."""
    trace = _without_ours(error.__traceback__)
    error.__traceback__ = trace
    names = wanted_names(error)
    sys.excepthook(type(error), error, trace)
    if names:
        print(
            "\nadjoint ran in place of torch and lacks names that the program uses:\n"
            + "\n".join(f"    {name}" for name in names),
            file=sys.stderr,
        )
    sys.stderr.flush()
    # Python ends as it would have: exit code 1, or by the signal of a KeyboardInterrupt.
    sys.excepthook = lambda *_: None
    raise error


def _without_ours(trace: TracebackType | None) -> TracebackType | None:
    ours = (__file__, runpy.__file__, "<frozen runpy>")
    while trace is not None and trace.tb_frame.f_code.co_filename in ours:
        trace = trace.tb_next
    return trace

"""The command line of the package: run a program written for torch, and tell what is there."""

from __future__ import annotations

import argparse
import sys

__all__ = ["main"]


def main(arguments: list[str] | None = None) -> None:
    """What `python -m adjoint` does with its arguments."""
    parser = argparse.ArgumentParser(prog="python -m adjoint", allow_abbrev=False)
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    run = commands.add_parser(
        "run",
        help="run a program written for torch, unmodified, with adjoint in its place",
        description="Runs a script, or a module with -m, as python would; `import torch` means "
        "adjoint in that process and in those it starts through multiprocessing.",
        usage="python -m adjoint run (SCRIPT | -m MODULE) [ARGUMENT ...]",
        allow_abbrev=False,
    )
    run.add_argument("-m", dest="module", nargs=argparse.REMAINDER, metavar="MODULE ...")
    run.add_argument("script", nargs=argparse.REMAINDER, metavar="SCRIPT ...")
    commands.add_parser("info", help="print version, processor, BLAS, threads and devices")
    given = sys.argv[1:] if arguments is None else arguments
    options = parser.parse_args(given)
    if options.command == "info":
        from ._info import info

        print(info())
        return
    if options.module == [] or not (options.module or options.script):
        run.error("give a script, or -m and the name of a module")
    from ._run import run_module, run_script

    if options.module:
        run_module(options.module[0], options.module[1:])
    else:
        run_script(options.script[0], options.script[1:])

"""Run every program of this folder, in one process; print what each printed, as one JSON object."""

import contextlib
import io
import json
import pathlib
import runpy
import time
import traceback

import torch


def run(path):
    output, start = io.StringIO(), time.perf_counter()
    try:
        with contextlib.redirect_stdout(output):
            runpy.run_path(str(path), run_name="__main__")
        result = json.loads(output.getvalue())
    except Exception:
        result = {"failed": traceback.format_exc()}
    torch.set_default_dtype(torch.float32)  # the next program starts from the defaults
    return {**result, "seconds": time.perf_counter() - start}


if __name__ == "__main__":
    folder = pathlib.Path(__file__).parent
    programs = [p for p in sorted(folder.glob("*.py")) if p.stem != "__main__"]
    print(json.dumps({path.stem: run(path) for path in programs}))

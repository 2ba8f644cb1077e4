"""What `python -m adjoint info` prints."""

from __future__ import annotations

import ctypes
import os
import platform
import sys

import adjoint

from ._torch import TORCH_VERSION

__all__ = ["info"]

_V3 = {"avx", "avx2", "bmi1", "bmi2", "f16c", "fma", "abm", "movbe"}
_V4 = {"avx512f", "avx512bw", "avx512cd", "avx512dq", "avx512vl"}
_WORTH_NAMING = ("avx2", "fma", "f16c", "avx512f", "avx512_bf16", "avx512_fp16", "avx512_vnni",
                 "amx_bf16", "amx_int8")  # fmt: skip


def info() -> str:
    """Version, processor, BLAS, threads and devices, a line each."""
    model, features = _processor()
    lines = {
        "adjoint": f"{adjoint.__version__} ({os.path.dirname(adjoint.__file__)})",
        "torch": f"run as version {TORCH_VERSION}",
        "python": f"{platform.python_version()} ({sys.executable})",
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
        "processor": model or "unknown",
        "features": " ".join(name for name in _WORTH_NAMING if name in features) or "none named",
        "ISA level": _level(features),
        "BLAS": _blas(),
        "threads": f"{adjoint.get_num_threads()} of {os.cpu_count()} processors",
        "devices": "cpu" + "".join(f", cuda:{i}" for i in range(adjoint.cuda.device_count())),
    }
    width = max(map(len, lines))
    return "\n".join(f"{name:<{width}}  {text}" for name, text in lines.items())


def _processor() -> tuple[str, set[str]]:
    model, features = platform.processor(), set()
    try:
        with open("/proc/cpuinfo") as file:
            for line in file:
                key, _, value = line.partition(":")
                if key.strip() == "model name":
                    model = value.strip()
                elif key.strip() in ("flags", "Features"):
                    features = set(value.split())
                    break
    except OSError:
        pass
    return model, features


def _level(features: set[str]) -> str:
    """The level that the kernels are chosen by: what the processor has."""
    if platform.machine() not in ("x86_64", "AMD64"):
        return platform.machine()
    if not features >= _V3:
        return "x86-64-v2"
    return "x86-64-v4" if features >= _V4 else "x86-64-v3"


def _blas() -> str:
    """The library, its version and the core that it runs for, once it is loaded."""
    import importlib.util

    wheel = importlib.util.find_spec("scipy_openblas32")
    for folder in (wheel.submodule_search_locations or ()) if wheel else ():
        path = f"{folder}/lib/libscipy_openblas.so"
        if not os.path.exists(path):
            continue
        x = adjoint.ones(256, 256)
        x @ x  # the core loads it with the first large product
        try:
            library = ctypes.CDLL(path, mode=os.RTLD_NOLOAD | os.RTLD_NOW)
        except OSError:
            return f"none was loaded ({path})"
        texts = []
        for name in ("config", "corename"):
            function = getattr(library, f"scipy_openblas_get_{name}", None)
            if function is not None:
                function.restype = ctypes.c_char_p
                texts.append((function() or b"").decode())
        config = " ".join(texts[0].split()[:2]) if texts else "OpenBLAS"
        return f"{config}, core {texts[1]}" if len(texts) > 1 else config
    return "none found: install scipy-openblas32"

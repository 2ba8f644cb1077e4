"""Automatic differentiation with PyTorch's semantics, in a few megabytes.

>>> x = adjoint.tensor(3., requires_grad=True)
>>> (x ** 2).backward()
>>> x.grad
tensor(6.)
"""

import importlib as _importlib
import importlib.util as _importlib_util
import math as _math
import os as _os
from typing import Any

from adjoint import _core
from adjoint._size import Size

_core._set_size_type(Size)

from adjoint import _tensor_methods  # noqa: E402
from adjoint._comparison import *  # noqa: E402, F403
from adjoint._core import *  # noqa: E402, F403
from adjoint._core import Tensor, device, dtype  # noqa: E402
from adjoint._creation import *  # noqa: E402, F403
from adjoint._indexing import *  # noqa: E402, F403
from adjoint._layouts import *  # noqa: E402, F403
from adjoint._products import *  # noqa: E402, F403
from adjoint.autograd.grad_mode import (  # noqa: E402
    enable_grad,
    inference_mode,
    no_grad,
    set_grad_enabled,
)
from adjoint.random import (  # noqa: E402
    Generator,
    default_generator,
    get_rng_state,
    initial_seed,
    manual_seed,
    seed,
    set_rng_state,
)

__version__ = "0.1.0"


def _find_blas() -> None:
    """Tells the core where OpenBLAS is; the core loads it with the first large product."""
    wheel = _importlib_util.find_spec("scipy_openblas32")
    for folder in (wheel.submodule_search_locations or ()) if wheel else ():
        library = f"{folder}/lib/libscipy_openblas.so"
        if _os.path.exists(library):
            _core._set_blas_path(library)


_find_blas()

half, float, double, bfloat = _core.float16, _core.float32, _core.float64, _core.bfloat16
short, int, long = _core.int16, _core.int32, _core.int64
cfloat, cdouble = _core.complex64, _core.complex128
# dtypes that no tensor here has: names, for programs that compare with them
globals().update(_core._named_dtypes)
inf, nan, pi, e = _math.inf, _math.nan, _math.pi, _math.e
newaxis = None

_LAZY = {
    "save": "serialization",
    "load": "serialization",
    "vmap": "func",
    "set_printoptions": "_tensor_str",
    "finfo": "_limits",
    "iinfo": "_limits",
    "compile": "compiler",
    "gradient": "_finite_difference",
    "histogram": "_histograms",
    "histogramdd": "_histograms",
    "svd_lowrank": "_low_rank",
    "lu": "_older_names",
    "AcceleratorError": "cuda",
    "OutOfMemoryError": "cuda",
    "Event": "cpu",
    "Future": "futures",
    "Stream": "cpu",
    "get_device_module": "_settings",
    "is_storage": "storage",
    "pca_lowrank": "_low_rank",
    "autocast": "amp",
    "GradScaler": "amp",
    "get_autocast_dtype": "amp",
    "is_autocast_enabled": "amp",
    **dict.fromkeys(
        (
            "clear_autocast_cache",
            "cond",
            "get_autocast_cpu_dtype",
            "is_anomaly_check_nan_enabled",
            "is_anomaly_enabled",
            "is_autocast_cache_enabled",
            "is_autocast_cpu_enabled",
            "is_inference",
            "set_anomaly_enabled",
            "set_autocast_cache_enabled",
            "set_autocast_cpu_dtype",
            "set_autocast_cpu_enabled",
            "set_autocast_dtype",
            "set_autocast_enabled",
            "SymBool",
            "SymFloat",
            "SymInt",
            "sym_float",
            "sym_int",
            "sym_max",
            "sym_min",
            "sym_not",
        ),
        "_mode_switches",
    ),  # fmt: skip
    **dict.fromkeys(
        (
            "_assert",
            "_check",
            "_check_index",
            "_check_is_size",
            "_check_not_implemented",
            "_check_tensor_all",
            "_check_tensor_all_with",
            "_check_type",
            "_check_value",
            "_check_with",
        ),
        "_checks",
    ),  # fmt: skip
    **dict.fromkeys(
        (
            "affine_grid_generator",
            "conv_tbc",
            "feature_dropout",
            "feature_dropout_",
            "grid_sampler",
            "grid_sampler_2d",
            "grid_sampler_3d",
            "norm_except_dim",
        ),
        "_spatial_names",
    ),  # fmt: skip
    **dict.fromkeys(
        (
            "are_deterministic_algorithms_enabled",
            "get_default_device",
            "get_deterministic_debug_mode",
            "get_float32_matmul_precision",
            "get_num_interop_threads",
            "is_deterministic_algorithms_warn_only_enabled",
            "is_warn_always_enabled",
            "set_default_device",
            "set_default_tensor_type",
            "set_deterministic_debug_mode",
            "set_float32_matmul_precision",
            "set_flush_denormal",
            "set_num_interop_threads",
            "set_warn_always",
            "use_deterministic_algorithms",
        ),
        "_settings",
    ),  # fmt: skip
}


def __dir__() -> list[str]:
    import pkgutil

    modules = [
        m.name
        for m in pkgutil.iter_modules([_os.path.dirname(__file__)])
        if not m.name.startswith("_")
    ]
    return sorted({*globals(), *_LAZY, *modules})


# Submodules are loaded when they are first asked for, so that `import adjoint` stays quick.
def __getattr__(name: str) -> Any:
    if name in _LAZY:
        value = getattr(_importlib.import_module(f"adjoint.{_LAZY[name]}"), name)
        globals()[name] = value
        return value
    public = not name.startswith("_") or name in ("_C", "_dynamo", "_inductor", "_utils")
    if public and _importlib_util.find_spec(f"adjoint.{name}"):
        return _importlib.import_module(f"adjoint.{name}")
    if name.startswith("_foreach_"):
        return getattr(_importlib.import_module("adjoint._foreach"), name)
    if name.endswith("Storage"):
        storage = _importlib.import_module("adjoint.storage")
        if hasattr(storage, name):
            return getattr(storage, name)
    if name in ("functional", "_tensor", "_VF"):  # modules of torch that are this one here
        return _importlib.import_module("adjoint")
    reason = ": it has no sparse tensors" if name.startswith("sparse") else ""
    raise AttributeError(f"module 'adjoint' has no attribute '{name}'{reason}")

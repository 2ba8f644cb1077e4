"""The few names of torch's binary module that programs touch, as adjoint has them."""

from __future__ import annotations

from typing import Any

import adjoint
from adjoint import Generator, Size, Tensor, _core, default_generator, device, dtype
from adjoint.overrides import DisableTorchFunction, DisableTorchFunctionSubclass
from adjoint.storage import UntypedStorage as StorageBase

__all__ = ["DisableTorchFunction", "DisableTorchFunctionSubclass", "Generator", "Size",
           "StorageBase", "Tensor", "TensorBase", "default_generator", "device",
           "dtype"]  # fmt: skip

TensorBase = _TensorBase = Tensor
_TensorMeta = type(Tensor)
_disabled_torch_function_impl = _core._disabled_torch_function_impl
_VariableFunctions = _VariableFunctionsClass = adjoint
has_lapack = True
has_mkl = has_mkldnn = has_openmp = has_cuda = has_mps = has_xpu = has_cudnn = _has_cuda = False
_GLIBCXX_USE_CXX11_ABI = True


def _log_api_usage_once(*args: Any) -> None:
    """Nothing: no usage is logged."""


def _get_tracing_state() -> None:
    """None: nothing is traced."""


def _set_grad_enabled(enabled: bool) -> None:
    """Sets the grad mode of this thread."""
    _core._set_grad_enabled(enabled)


def _is_torch_function_enabled() -> bool:
    return _core._torch_function_state() == 0


def _is_torch_function_mode_enabled() -> bool:
    return bool(_core._function_modes())


def _has_torch_function(relevant_args: Any) -> bool:
    return _core._overriding(tuple(relevant_args))


def _has_torch_function_unary(obj: Any) -> bool:
    return _core._overriding((obj,))


def _has_torch_function_variadic(*objects: Any) -> bool:
    return _core._overriding(objects)


def _len_torch_function_stack() -> int:
    return len(_core._function_modes())


def _accept(*args: Any) -> bool:
    """Switches of a compiler that is not there."""
    return False


_jit_set_profiling_executor = _jit_set_profiling_mode = _jit_set_texpr_fuser_enabled = _accept
_jit_override_can_fuse_on_cpu = _jit_override_can_fuse_on_gpu = _jit_set_nvfuser_enabled = _accept
_jit_set_bailout_depth = _jit_set_num_profiled_runs = _jit_set_autocast_mode = _accept
_debug_set_autodiff_subgraph_inlining = _accept


def __getattr__(name: str) -> Any:
    if name in ("_nn", "_linalg", "_fft", "_special"):
        return adjoint.nn.functional if name == "_nn" else getattr(adjoint, name[1:])
    if not name.startswith("__"):
        for source in (adjoint, _core):  # the functions, for one
            if hasattr(source, name):
                return getattr(source, name)
    raise AttributeError(f"module 'adjoint._C' has no attribute '{name}'")

"""What other libraries torch may use, answered for this build; settings are accepted and kept.

>>> adjoint.backends.cudnn.is_available()
False
>>> adjoint.backends.cudnn.benchmark = True
"""

from __future__ import annotations

import sys
from types import ModuleType
from typing import Any

__all__ = ["cpu", "cuda", "cudnn", "mha", "mkl", "mkldnn", "mps", "openmp", "opt_einsum", "xpu"]


class _Backend(ModuleType):
    """A module of settings: its attributes can be read and set."""

    def __init__(self, name: str, available: bool = False, **settings: Any) -> None:
        super().__init__(f"{__name__}.{name}", f"Settings of {name}; none has an effect.")
        sys.modules[self.__name__] = self
        self.__dict__.update(settings)
        self.is_available = lambda: available


cpu = _Backend("cpu", available=True, get_cpu_capability=lambda: "DEFAULT")
cudnn = _Backend(
    "cudnn", enabled=True, benchmark=False, benchmark_limit=10, deterministic=False,
    allow_tf32=True, version=lambda: None, is_acceptable=lambda tensor: False,
)  # fmt: skip
mps = _Backend("mps", is_built=lambda: False)
mkl = _Backend("mkl")
mkldnn = _Backend("mkldnn", enabled=False)
openmp = _Backend("openmp")
opt_einsum = _Backend("opt_einsum", enabled=False, strategy=None)
mha = _Backend("mha", get_fastpath_enabled=lambda: False, set_fastpath_enabled=lambda value: None)
xpu = _Backend("xpu")


class _Matmul:
    """`backends.cuda.matmul`."""

    allow_tf32 = False
    allow_fp16_reduced_precision_reduction = True
    allow_bf16_reduced_precision_reduction = True


cuda = _Backend(
    "cuda",
    is_built=lambda: False,
    matmul=_Matmul(),
    flash_sdp_enabled=lambda: False,
    mem_efficient_sdp_enabled=lambda: False,
    math_sdp_enabled=lambda: True,
    enable_flash_sdp=lambda enabled: None,
    enable_mem_efficient_sdp=lambda enabled: None,
    enable_math_sdp=lambda enabled: None,
)

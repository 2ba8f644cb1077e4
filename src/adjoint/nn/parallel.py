"""DataParallel: one device is there, so that it passes everything through."""

from __future__ import annotations

from typing import Any

from .modules.module import Module

__all__ = ["DataParallel", "DistributedDataParallel", "data_parallel"]


class DataParallel(Module):
    """Calls ``module``; its state is saved under ``module.``, as programs expect.

    Args:
        module: the module.
        device_ids, output_device, dim: accepted; there is one device.

    >>> adjoint.nn.DataParallel(adjoint.nn.Linear(2, 3))(adjoint.zeros(4, 2)).shape
    torch.Size([4, 3])
    """

    def __init__(
        self, module: Module, device_ids: Any = None, output_device: Any = None, dim: int = 0
    ) -> None:
        super().__init__()
        self.module = module
        self.device_ids = list(device_ids or [])
        self.output_device = output_device
        self.dim = dim

    def forward(self, *inputs: Any, **kwargs: Any) -> Any:
        return self.module(*inputs, **kwargs)


def data_parallel(
    module: Module,
    inputs: Any,
    device_ids: Any = None,
    output_device: Any = None,
    dim: int = 0,
    module_kwargs: dict[str, Any] | None = None,
) -> Any:
    """``module(*inputs, **module_kwargs)``."""
    return module(*(inputs if isinstance(inputs, tuple) else (inputs,)), **(module_kwargs or {}))


class DistributedDataParallel(Module):
    """A RuntimeError: adjoint trains in one process, where the module is called as it is.

    >>> issubclass(adjoint.nn.parallel.DistributedDataParallel, adjoint.nn.Module)
    True
    """

    def __init__(self, module: Module, *args: Any, **kwargs: Any) -> None:
        raise RuntimeError(
            "DistributedDataParallel needs a process group, and adjoint has none: use the module "
            "itself"
        )

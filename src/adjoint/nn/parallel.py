"""DataParallel: one device is there, so that it passes everything through."""

from __future__ import annotations

from typing import Any, NoReturn

from .modules.module import Module

__all__ = ["DataParallel", "DistributedDataParallel", "data_parallel", "gather", "replicate",
           "scatter"]  # fmt: skip


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


def scatter(inputs: Any, target_gpus: Any, dim: int = 0) -> NoReturn:
    """A RuntimeError: there are no GPUs to spread `inputs` over."""
    raise RuntimeError(f"there are no devices {list(target_gpus)!r}: adjoint has the CPU alone")


def gather(outputs: Any, target_device: Any, dim: int = 0) -> NoReturn:
    """A RuntimeError: there are no GPUs to collect `outputs` from."""
    raise RuntimeError(f"outputs lie on one device, not spread (to {target_device!r})")


def replicate(network: Module, devices: Any, detach: bool = False) -> NoReturn:
    """A RuntimeError: there are no GPUs to copy `network` to."""
    raise RuntimeError(f"there are no devices {list(devices)!r}: adjoint has the CPU alone")


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

"""Where adjoint keeps what torch keeps in another module.

Programs import `torch.amp.grad_scaler` or `torch.optim._multi_tensor`: below, for such a module the
one of adjoint that has its names, both without the first part ("" is adjoint itself). What is below
a module moves with it. `adjoint run` lets torch's name be imported, and the same holds for names in
pickles. (Where adjoint has a file of torch's name and a class is in another one, the package of
both lends it: see `nn/modules/__init__.py`.)
"""

from __future__ import annotations

__all__ = ["HOMES", "home"]

HOMES = {
    "_VF": "",
    "_dynamo.decorators": "_dynamo",
    "_dynamo.eval_frame": "_dynamo",
    "_lowrank": "_low_rank",
    "_tensor": "",
    "amp.autocast_mode": "amp",
    "amp.grad_scaler": "amp",
    "cpu.amp.autocast_mode": "cpu.amp",
    "cpu.amp.grad_scaler": "cpu.amp",
    "cuda.amp.autocast_mode": "cuda.amp",
    "cuda.amp.common": "cuda.amp",
    "cuda.amp.grad_scaler": "cuda.amp",
    "cuda.memory": "cuda",
    "cuda.random": "cuda",
    "cuda.streams": "cuda",
    "distributions.exp_family": "distributions.distribution",
    "functional": "",
    "fx.graph": "fx",
    "fx.graph_module": "fx",
    "fx.node": "fx",
    "fx.proxy": "fx",
    "signal.windows.windows": "signal.windows",
    "nn.modules.channelshuffle": "nn.modules.pixelshuffle",
    "nn.modules.linear_cross_entropy_options": "nn.modules.linear_loss",
    "nn.parallel.data_parallel": "nn.parallel",
    "nn.parallel.distributed": "nn.parallel",
    "nn.parallel.replicate": "nn.parallel",
    "nn.parallel.scatter_gather": "nn.parallel",
    "optim._adafactor": "optim.adafactor",
    "optim._multi_tensor": "optim",
    "optim._muon": "optim.muon",
    "utils._contextlib": "autograd.grad_mode",
    "utils.data._utils": "utils.data",
    "utils.data._utils.worker": "utils.data.worker_info",
    "utils.data.distributed": "utils.data.sampler",
}


def home(name: str) -> str:
    """The module of adjoint for a module of torch, both by their full names.

    >>> from adjoint._homes import home
    >>> home("torch.utils.data._utils.collate"), home("torch.nn")
    ('adjoint.utils.data.collate', 'adjoint.nn')
    """
    parts = name.split(".")[1:]
    for length in range(len(parts), 0, -1):
        head = HOMES.get(".".join(parts[:length]))
        if head is not None:
            parts = [*filter(None, head.split(".")), *parts[length:]]
            break
    return ".".join(["adjoint", *parts])

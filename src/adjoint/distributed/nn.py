"""Communication that gradients pass through: it needs a process group, and there is none.

>>> from adjoint.distributed import nn
>>> nn.all_reduce(adjoint.ones(1))  # doctest: +ELLIPSIS
Traceback (most recent call last):
    ...
ValueError: distributed.all_reduce needs a process group, and adjoint has none: ask ...
"""

from __future__ import annotations

from adjoint import distributed

__all__ = ["all_gather", "all_reduce", "all_to_all", "all_to_all_single", "broadcast", "gather",
           "reduce", "reduce_scatter", "scatter"]  # fmt: skip

all_gather, all_reduce = distributed.all_gather, distributed.all_reduce
all_to_all, all_to_all_single = distributed.all_to_all, distributed.all_to_all_single
broadcast, gather, reduce = distributed.broadcast, distributed.gather, distributed.reduce
reduce_scatter, scatter = distributed.reduce_scatter, distributed.scatter

"""DLPack under its older names: a capsule of a tensor's memory, and a tensor of one.

>>> x = adjoint.ones(2)
>>> from adjoint.utils.dlpack import from_dlpack, to_dlpack
>>> from_dlpack(to_dlpack(x))
tensor([1., 1.])
"""

from __future__ import annotations

from adjoint import from_dlpack, to_dlpack

__all__ = ["from_dlpack", "to_dlpack"]

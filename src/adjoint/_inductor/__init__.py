"""The part of `torch._inductor` that programs touch: settings.

>>> adjoint._inductor.config.coordinate_descent_tuning = True
"""

from adjoint._inductor import config

__all__ = ["config"]

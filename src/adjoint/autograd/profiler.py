"""The profiler under its older name.

>>> from adjoint.autograd.profiler import record_function
>>> with record_function("part"):
...     y = adjoint.ones(2) + 1
"""

from adjoint.profiler import profile, record_function

__all__ = ["profile", "record_function"]

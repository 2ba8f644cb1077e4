"""The functions of the Python array API standard, version 2025.12, for tensors.

Libraries that are written to the standard get this namespace from a tensor by
`x.__array_namespace__()`. Names and arguments are the standard's, and dtypes are promoted as it
says: an integer beside a floating number is a TypeError. uint16, uint32 and uint64 are not there.
Gradients pass through, as they do through adjoint's own functions.

>>> x = adjoint.tensor([3., 4.])
>>> xp = x.__array_namespace__()
>>> xp.linalg.vector_norm(x)
tensor(5.)
"""

from adjoint import e, inf, nan, newaxis, pi
from adjoint.array_api import (
    _creation,
    _dtypes,
    _elementwise,
    _manipulation,
    _reductions,
    fft,
    linalg,
)
from adjoint.array_api._creation import *  # noqa: F403
from adjoint.array_api._dtypes import *  # noqa: F403
from adjoint.array_api._elementwise import *  # noqa: F403
from adjoint.array_api._info import __array_namespace_info__
from adjoint.array_api._manipulation import *  # noqa: F403
from adjoint.array_api._reductions import *  # noqa: F403
from adjoint.array_api.linalg import matmul, matrix_transpose, tensordot, vecdot

__array_api_version__ = "2025.12"

__all__ = [
    "__array_api_version__",
    "__array_namespace_info__",
    "e",
    "fft",
    "inf",
    "linalg",
    "matmul",
    "matrix_transpose",
    "nan",
    "newaxis",
    "pi",
    "tensordot",
    "vecdot",
    *_creation.__all__,
    *_dtypes.__all__,
    *_elementwise.__all__,
    *_manipulation.__all__,
    *_reductions.__all__,
]

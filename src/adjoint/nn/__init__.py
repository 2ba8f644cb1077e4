"""Neural network layers: modules, their functional forms, and initialisation.

>>> model = adjoint.nn.Sequential(adjoint.nn.Linear(4, 8), adjoint.nn.ReLU())
>>> model(adjoint.zeros(2, 4)).shape
torch.Size([2, 8])
"""

from . import attention, functional, grad, init, utils
from . import modules as modules
from . import parallel as parallel
from . import parameter as parameter
from .modules import *  # noqa: F403
from .modules.utils import factory_kwargs
from .parallel import DataParallel
from .parameter import Buffer, Parameter, UninitializedBuffer, UninitializedParameter

__all__ = [
    *(name for name in modules.__dict__ if name[0].isupper()),
    "Buffer",
    "DataParallel",
    "Parameter",
    "UninitializedBuffer",
    "UninitializedParameter",
    "attention",
    "factory_kwargs",
    "functional",
    "grad",
    "init",
    "modules",
    "parallel",
    "parameter",
    "utils",
]

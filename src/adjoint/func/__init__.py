"""Function transforms: functions in, functions out.

- `grad`, `vjp` (reverse mode, `reverse.py`): fresh variables in, the engine run back to them.
- `jvp`, `linearize` (forward mode, `forward.py`): dual tensors in, tangents out.
- `vmap` (`batching.py`): tensors with a hidden dim in, the dim put back at the end.
- `jacrev`, `jacfwd`, `hessian` (`jacobian.py`) are a `vmap` of `vjp` or `jvp` over a basis.
- `functional_call`, `stack_module_state` (`modules.py`) make functions of modules.

They nest freely, in any order.

>>> from adjoint.func import grad, vmap
>>> vmap(grad(lambda x: x**3))(adjoint.tensor([1.0, 2.0]))
tensor([ 3., 12.])
"""

from .batching import vmap
from .forward import jvp, linearize
from .jacobian import hessian, jacfwd, jacrev
from .modules import functional_call, replace_all_batch_norm_modules_, stack_module_state
from .reverse import grad, grad_and_value, value_and_grad, vjp

__all__ = [
    "functional_call",
    "grad",
    "grad_and_value",
    "hessian",
    "jacfwd",
    "jacrev",
    "jvp",
    "linearize",
    "replace_all_batch_norm_modules_",
    "stack_module_state",
    "value_and_grad",
    "vjp",
    "vmap",
]

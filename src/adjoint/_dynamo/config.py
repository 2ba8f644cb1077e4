"""Settings of a compiler that is not there: they are kept, and change nothing."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

accumulated_cache_size_limit = accumulated_recompile_limit = 256
assume_static_by_default = automatic_dynamic_shapes = dynamic_shapes = True
cache_size_limit = recompile_limit = 8
capture_dynamic_output_shape_ops = capture_scalar_outputs = False
disable = suppress_errors = verbose = specialize_int = False
force_parameter_static_shapes = inline_inbuilt_nn_modules = optimize_ddp = True


@contextlib.contextmanager
def patch(changes: Any = None, value: Any = None, **more: Any) -> Iterator[None]:
    """Other settings for as long as it is entered."""
    if isinstance(changes, str):
        more[changes] = value
    else:
        more.update(changes or {})
    before = {name: globals().get(name) for name in more}
    globals().update(more)
    try:
        yield
    finally:
        globals().update(before)

"""What an exception that leaves a module's ``forward`` is told: where the module stands."""

from __future__ import annotations

from typing import Any

from adjoint import Tensor

from ..parameter import is_lazy


def note_path(error: BaseException, module: Any, args: tuple[Any, ...]) -> None:
    """Note on ``error`` the path of the innermost module, its parameters and the argument shapes.

    Each module that the exception passes on its way out makes the path longer.
    """
    notes = getattr(error, "__notes__", None)
    if not hasattr(error, "add_note"):  # Python 3.10
        return
    known = getattr(error, "_module_path", None)
    if known is None:
        shapes = [_shape(a) if isinstance(a, Tensor) else type(a).__name__ for a in args]
        params = {k: _shape(p) for k, p in module._parameters.items() if p is not None}
        known = {"module": module, "path": "", "about": f"arguments {shapes}", "at": None}
        if params:
            listed = ", ".join(f"{name} {shape}" for name, shape in params.items())
            known["about"] += f", parameters {listed}"
        known["kind"] = type(module).__name__
        error._module_path = known  # type: ignore[attr-defined]
    elif known["module"] is not module:
        for name, child in module.named_modules():
            if child is known["module"]:
                known["path"] = f"{name}.{known['path']}" if known["path"] else name
                known["module"] = module
                break
    place = f"{known['path']} ({known['kind']})" if known["path"] else known["kind"]
    text = f"in the forward of {place}: {known['about']}"
    if known["at"] is None or notes is None:
        error.add_note(text)
    else:
        notes[notes.index(known["at"])] = text
    known["at"] = text


def _shape(param: Tensor) -> Any:
    return "without a shape" if is_lazy(param) else list(param.shape)

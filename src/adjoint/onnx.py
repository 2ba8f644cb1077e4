"""Models are not exported to ONNX: names that programs ask, which say so when they are used.

>>> adjoint.onnx.is_in_onnx_export()
False
"""

from __future__ import annotations

from typing import Any, NoReturn

__all__ = ["dynamo_export", "export", "is_in_onnx_export", "is_onnxrt_backend_supported"]


def is_in_onnx_export() -> bool:
    """Whether a model is being exported: no."""
    return False


def is_onnxrt_backend_supported() -> bool:
    """Whether functions can be compiled by ONNX Runtime: no."""
    return False


def export(*args: Any, **kwargs: Any) -> NoReturn:
    """A NotImplementedError."""
    raise NotImplementedError(
        "adjoint exports no ONNX: save model.state_dict() and export the model where torch is"
    )


dynamo_export = export

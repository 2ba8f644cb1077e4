"""Programs are not exported as graphs: names that programs import, which say so when they are used.

>>> adjoint.export.export(adjoint.nn.ReLU(), (adjoint.ones(1),))
Traceback (most recent call last):
NotImplementedError: adjoint exports no programs: save model.state_dict() with adjoint.save
"""

from __future__ import annotations

from typing import Any, NoReturn

__all__ = ["Dim", "ExportedProgram", "dims", "export", "export_for_training", "load",
           "register_dataclass", "save"]  # fmt: skip


def export(*args: Any, **kwargs: Any) -> NoReturn:
    """A NotImplementedError."""
    raise NotImplementedError(
        "adjoint exports no programs: save model.state_dict() with adjoint.save"
    )


export_for_training = save = load = export


class ExportedProgram:
    """There are none: a class to ask `isinstance` about."""


class Dim:
    """The name of a size that may differ between calls: kept, and of no effect."""

    AUTO = DYNAMIC = STATIC = None

    def __init__(self, name: str, *, min: int | None = None, max: int | None = None) -> None:
        self.__name__, self.min, self.max = name, min, max


def dims(*names: str, min: int | None = None, max: int | None = None) -> tuple[Dim, ...]:
    """A `Dim` of each name."""
    return tuple(Dim(name, min=min, max=max) for name in names)


def register_dataclass(cls: type, *, serialized_type_name: str | None = None) -> None:
    """Accepted; does nothing."""

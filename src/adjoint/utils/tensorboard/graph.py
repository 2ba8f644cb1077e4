"""The graph that TensorBoard shows of a model: that of the derivatives of one run.

A node is an operator of the run, in the scope of the module whose `forward` ran it. What is not
differentiable (comparisons, indices) is not in it.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

from tensorboardX.proto.attr_value_pb2 import AttrValue
from tensorboardX.proto.graph_pb2 import GraphDef
from tensorboardX.proto.node_def_pb2 import NodeDef
from tensorboardX.proto.tensor_shape_pb2 import TensorShapeProto
from tensorboardX.proto.versions_pb2 import VersionDef

import adjoint
from adjoint import Tensor
from adjoint.utils._pytree import tree_leaves

__all__ = ["graph_of"]


def _tensors(values: Any) -> list[Tensor]:
    return [x for x in tree_leaves(values) if isinstance(x, Tensor)]


class _Run:
    """Gives each node of the derivative a name when the module that made it ends."""

    def __init__(self, root: str) -> None:
        self.scopes = [root]
        self.names: dict[Any, str] = {}
        self.leaves: dict[int, str] = {}
        self.counts: Counter[str] = Counter()

    def take(self, tensors: list[Tensor]) -> None:
        """Nodes behind the tensors that are new are of the scope at hand."""
        stack = [x.grad_fn for x in tensors if x.grad_fn is not None]
        while stack:
            node: Any = stack.pop()
            if node in self.names:
                continue
            leaf = getattr(node, "variable", None)
            if leaf is not None:
                self.names[node] = self.leaves.get(id(leaf), "constants/" + self._new("leaf"))
                continue
            operator = node.name().split("Backward")[0]
            self.names[node] = f"{self.scopes[-1]}/{self._new(operator)}"
            stack += [below for below, _ in node.next_functions if below is not None]

    def _new(self, name: str) -> str:
        self.counts[name] += 1
        return f"{name}_{self.counts[name]}"


def graph_of(model: Any, inputs: Any) -> GraphDef:
    """The graph of `model(*inputs)`; a tensor stands for the tuple of itself."""
    run = _Run(type(model).__name__)
    given = (inputs,) if isinstance(inputs, Tensor) else tuple(inputs)
    given = tuple(
        x.detach().requires_grad_() if isinstance(x, Tensor) and x.is_floating_point() else x
        for x in given
    )
    held = _tensors(given)
    shapes: dict[str, Tensor] = {}
    for i, x in enumerate(held):
        run.leaves[id(x)] = f"input/{i}"
    handles = []
    for path, module in model.named_modules():
        scope = "/".join([run.scopes[0], *filter(None, path.split("."))])
        for name, parameter in module.named_parameters(recurse=False):
            run.leaves.setdefault(id(parameter), f"{scope}/{name}")
            shapes.setdefault(f"{scope}/{name}", parameter)
        if module is model:
            continue

        def enter(module: Any, args: Any, scope: str = scope) -> None:
            run.take(_tensors(args))
            run.scopes.append(scope)

        def leave(module: Any, args: Any, result: Any) -> None:
            run.take(_tensors(result))
            run.scopes.pop()

        handles.append(module.register_forward_pre_hook(enter))
        handles.append(module.register_forward_hook(leave))
    try:
        with adjoint.enable_grad():
            results = _tensors(model(*given))
    finally:
        for handle in handles:
            handle.remove()
    run.take(results)
    return _definition(run, held, shapes, results)


def _definition(
    run: _Run, inputs: list[Tensor], shapes: dict[str, Tensor], results: list[Tensor]
) -> GraphDef:
    nodes = []
    shapes = {**{f"input/{i}": x for i, x in enumerate(inputs)}, **shapes}
    for name, x in shapes.items():
        dims = [TensorShapeProto.Dim(size=size) for size in x.shape]
        shape = AttrValue(list=AttrValue.ListValue(shape=[TensorShapeProto(dim=dims)]))
        kind = "Input" if name.startswith("input/") else "Parameter"
        nodes.append(NodeDef(name=name, op=kind, attr={"_output_shapes": shape}))
    for node, name in run.names.items():
        if name in shapes:
            continue
        behind = [run.names[below] for below, _ in node.next_functions if below in run.names]
        operator = node.name().split("Backward")[0]
        nodes.append(NodeDef(name=name, op=operator, input=behind))
    for i, x in enumerate(results):
        behind = [run.names[x.grad_fn]] if x.grad_fn in run.names else []
        nodes.append(NodeDef(name=f"output/{i}", op="Output", input=behind))
    return GraphDef(node=nodes, versions=VersionDef(producer=22))

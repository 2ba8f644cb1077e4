"""Records of training that TensorBoard shows, written by tensorboardX.

It is an optional dependency: `pip install adjoint[tensorboard]`.
"""

from __future__ import annotations

from typing import Any

from adjoint import Tensor

try:
    import tensorboardX as _x
except ImportError as error:
    raise ImportError(
        "adjoint.utils.tensorboard writes its files with tensorboardX, which is not installed: "
        "pip install 'adjoint[tensorboard]', or pip install tensorboardX"
    ) from error

__all__ = ["SummaryWriter"]


def _plain(value: Any) -> Any:
    """Tensors as NumPy arrays, or numbers if they have no dims."""
    if isinstance(value, Tensor):
        value = value.detach()
        if value.dtype.is_floating_point and value.element_size() == 2:
            value = value.float()
        return value.item() if value.dim() == 0 else value.numpy()
    if isinstance(value, dict):
        return {key: _plain(entry) for key, entry in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value)(_plain(entry) for entry in value)
    return value


class SummaryWriter(_x.SummaryWriter):
    """Writes numbers, histograms, pictures and texts as training goes on.

    Args:
        log_dir: the folder, by default `runs/` and the time and the machine's name.
        comment: put behind a folder's default name.
        purge_step: when training goes on after a crash, steps from this one on are hidden.
        max_queue: how many entries wait before they are written.
        flush_secs: seconds after which they are written all the same.
        filename_suffix: put behind the names of files.

    The methods are those of torch's class, and take tensors, arrays and numbers:
    `add_scalar(tag, value, step)`, `add_scalars`, `add_histogram`, `add_image`, `add_images`,
    `add_figure`, `add_text`, `add_audio`, `add_video`, `add_embedding`, `add_pr_curve`, `add_mesh`,
    `add_hparams`, `add_custom_scalars`, `add_graph`.
    Use it in a `with` statement, or call `close()`.
    """

    def __init__(
        self,
        log_dir: Any = None,
        comment: str = "",
        purge_step: int | None = None,
        max_queue: int = 10,
        flush_secs: float = 120,
        filename_suffix: str = "",
    ) -> None:
        super().__init__(
            None if log_dir is None else str(log_dir),
            comment,
            purge_step=purge_step,
            max_queue=max_queue,
            flush_secs=flush_secs,
            filename_suffix=filename_suffix,
        )

    @property
    def log_dir(self) -> str:
        """The folder of the files."""
        return str(self.logdir)

    def get_logdir(self) -> str:
        """The folder of the files."""
        return self.log_dir

    def add_scalar(
        self,
        tag: str,
        scalar_value: Any,
        global_step: int | None = None,
        walltime: float | None = None,
        new_style: bool = False,
        double_precision: bool = False,
    ) -> None:
        """One number of the series `tag`, at a step. (The last two arguments have no effect.)"""
        super().add_scalar(tag, _plain(scalar_value), _plain(global_step), walltime)

    def add_hparams(
        self,
        hparam_dict: dict[str, Any],
        metric_dict: dict[str, Any],
        hparam_domain_discrete: Any = None,
        run_name: str | None = None,
        global_step: int | None = None,
    ) -> None:
        """The settings of a run beside what it reached."""
        super().add_hparams(_plain(hparam_dict), _plain(metric_dict), run_name, global_step)

    def add_graph(
        self,
        model: Any,
        input_to_model: Any = None,
        verbose: bool = False,
        use_strict_trace: bool = True,
    ) -> None:
        """The operators of `model(*input_to_model)`, which is run once, and what they read.

        Operators that have no derivative are left out. `use_strict_trace` changes nothing.

        Raises:
            ValueError: no input to run the model with.
        """
        if input_to_model is None:
            raise ValueError("add_graph runs the model once: give the input to run it with")
        from adjoint.utils.tensorboard.graph import graph_of

        graph = graph_of(model, input_to_model)
        if verbose:
            print(graph)
        self._get_file_writer().add_onnx_graph(graph)  # writes any graph of that form


def _taking_tensors(name: str) -> Any:
    method = getattr(_x.SummaryWriter, name)

    def add(self: Any, *args: Any, **kwargs: Any) -> Any:
        return method(self, *_plain(args), **_plain(kwargs))

    add.__name__, add.__doc__ = name, method.__doc__
    return add


for _name in (
    "add_scalars", "add_histogram", "add_histogram_raw", "add_image", "add_images", "add_video",
    "add_image_with_boxes", "add_figure", "add_text", "add_audio", "add_embedding", "add_pr_curve",
    "add_pr_curve_raw", "add_mesh",
):  # fmt: skip
    setattr(SummaryWriter, _name, _taking_tensors(_name))

"""Models from a hub are not fetched: `load` and its kin say so."""

from __future__ import annotations

from typing import Any, NoReturn


def _absent(name: str) -> Any:
    def refuse(*args: Any, **kwargs: Any) -> NoReturn:
        raise NotImplementedError(
            f"adjoint.hub.{name}: adjoint downloads no code and no models. Fetch the weights by "
            "other means and read them with adjoint.load(file)."
        )

    refuse.__name__ = name
    return refuse


download_url_to_file = _absent("download_url_to_file")
get_dir = _absent("get_dir")
help = _absent("help")
list = _absent("list")
load = _absent("load")
load_state_dict_from_url = _absent("load_state_dict_from_url")
set_dir = _absent("set_dir")

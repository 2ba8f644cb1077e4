import os

import pytest
from _backend import NAME, torch


def pytest_configure(config):
    config.addinivalue_line(
        "markers", "adjoint_only: asks for more than torch does; skipped when run as torch"
    )
    config.addinivalue_line(
        "markers",
        "resident: measures memory or time; skipped under AddressSanitizer, which keeps what is "
        "freed and takes its time",
    )
    config.addinivalue_line(
        "markers",
        "forks: starts worker processes; skipped under AddressSanitizer, whose allocator may be "
        "locked in a child of fork for ever",
    )
    if NAME == "torch":
        config.addinivalue_line("filterwarnings", "ignore:.torch.jit.script. is:DeprecationWarning")
        config.addinivalue_line("filterwarnings", "ignore:Using backward.. with create_graph=True")


def pytest_collection_modifyitems(items):
    if "ASAN_OPTIONS" in os.environ:
        for item in items:
            if item.get_closest_marker("resident"):
                item.add_marker(pytest.mark.skip(reason="the sanitizer keeps what is freed"))
            if item.get_closest_marker("forks"):
                item.add_marker(pytest.mark.skip(reason="the sanitizer may lock up in a fork"))
    if NAME == "adjoint":
        return
    for item in items:
        if item.get_closest_marker("adjoint_only"):
            item.add_marker(pytest.mark.skip(reason="asks for more than torch does"))


@pytest.fixture(autouse=True)
def fresh_state():
    """Each test starts from the same random numbers and leaves the modes as it found them."""
    torch.manual_seed(0)
    yield
    assert torch.is_grad_enabled()
    assert not torch.is_inference_mode_enabled()
    assert torch.get_default_dtype() == torch.float32

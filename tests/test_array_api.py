"""adjoint.array_api against NumPy, whose own namespace follows the standard."""

import inspect

import numpy as np
import pytest
from _backend import NAME, torch

if NAME != "adjoint":
    pytest.skip("adjoint's own namespace", allow_module_level=True)
if not hasattr(np, "unstack"):
    pytest.skip("this NumPy does not follow the standard", allow_module_level=True)

from adjoint import array_api as xp
from adjoint.array_api import _elementwise


def pair(x):
    """The same array in both libraries."""
    return xp.asarray(x), x


def same(mine, numpys):
    if isinstance(numpys, (tuple, list)):
        assert len(mine) == len(numpys)
        for m, n in zip(mine, numpys, strict=True):
            same(m, n)
        return
    numpys = np.asarray(numpys)
    assert isinstance(mine, torch.Tensor)
    assert tuple(mine.shape) == numpys.shape
    assert str(mine.dtype).rpartition(".")[2] == str(numpys.dtype)
    tolerance = 1e-5 if numpys.dtype in (np.float32, np.complex64) else 1e-12
    np.testing.assert_allclose(mine.numpy(), numpys, rtol=tolerance, atol=tolerance)


RNG = np.random.default_rng(0)
REAL = RNG.uniform(-0.9, 0.9, (3, 4))
ARRAYS = {
    "bool": RNG.integers(0, 2, (3, 4)).astype(bool),
    "int": RNG.integers(1, 9, (3, 4)),
    "small": RNG.integers(1, 9, (3, 4)).astype(np.int16),
    "real": REAL,
    "single": REAL.astype(np.float32),
    "complex": REAL + 1j * RNG.uniform(-0.9, 0.9, (3, 4)),
}
KINDS = {
    "numeric": ["int", "small", "real", "single", "complex"],
    "real": ["int", "real", "single"],
    "floating": ["real", "single", "complex"],
    "real floating": ["real", "single"],
    "complex": ["complex"],
    "integral": ["int", "small"],
    "bits": ["bool", "int"],
    "bool": ["bool"],
    "any": ["bool", "int", "real", "complex"],
}


@pytest.mark.parametrize("name", _elementwise._ONE)
def test_functions_of_one_array(name):
    for kind in KINDS[_elementwise._ONE[name]]:
        x = ARRAYS[kind]
        if name in ("log", "log1p", "log2", "log10", "sqrt", "acosh") and kind != "complex":
            x = np.abs(x) + 1
        if name == "reciprocal":
            x = x + 2
        mine, numpys = pair(x)
        with np.errstate(all="ignore"):
            same(getattr(xp, name)(mine), getattr(np, name)(numpys))
    wrong = {"complex": "real", "bool": "int", "bits": "real"}
    other = wrong.get(_elementwise._ONE[name], "bool")
    with pytest.raises(TypeError, match=name):
        getattr(xp, name)(xp.asarray(ARRAYS[other]))


@pytest.mark.parametrize("name", _elementwise._TWO)
def test_functions_of_two_arrays(name):
    for kind in KINDS[_elementwise._TWO[name]]:
        x, y = ARRAYS[kind], ARRAYS[kind][::-1].copy()
        if "shift" in name:
            y = y % 3
        if name == "pow" and kind in ("real", "single"):
            x = np.abs(x)
        same(getattr(xp, name)(xp.asarray(x), xp.asarray(y)), getattr(np, name)(x, y))
        if kind in ("real", "single"):
            x = np.abs(x)
            same(getattr(xp, name)(xp.asarray(x), 2.0), getattr(np, name)(x, 2.0))
    with pytest.raises(TypeError, match="promoted"):
        getattr(xp, name)(xp.asarray(ARRAYS["int"]), xp.asarray(ARRAYS["real"]))


X, I, C, B = ARRAYS["real"], ARRAYS["int"], ARRAYS["complex"], ARRAYS["bool"]
SQUARE = np.stack([X[:, :3] + 3 * np.eye(3), X[:, 1:] + 4 * np.eye(3)])
HERMITIAN = SQUARE + SQUARE.swapaxes(1, 2)
ROW = np.array([3, 1, 2, 1, 3])

CALLS = [
    ("sum", (X,), {}), ("sum", (I,), {"axis": 1}), ("sum", (ARRAYS["small"],), {"axis": (0, 1)}),
    ("sum", (X,), {"axis": 0, "keepdims": True}), ("sum", (C,), {"axis": -1}),
    ("prod", (X,), {"axis": (0, 1)}), ("prod", (I,), {"axis": 0}),
    ("mean", (X,), {"axis": 1}), ("max", (X,), {"axis": (0, 1)}), ("min", (I,), {"axis": 0}),
    ("var", (X,), {"axis": 1, "correction": 1}), ("std", (X,), {}),
    ("all", (B,), {"axis": 1}), ("any", (X,), {}),
    ("any", (B,), {"axis": (0, 1), "keepdims": True}),
    ("argmax", (X,), {"axis": 1}), ("argmin", (X,), {}),
    ("argmax", (X,), {"axis": 0, "keepdims": True}),
    ("count_nonzero", (I,), {"axis": 1}), ("cumulative_sum", (X,), {"axis": 1}),
    ("cumulative_sum", (I,), {"axis": 0, "include_initial": True}),
    ("cumulative_prod", (X,), {"axis": 1}), ("diff", (X,), {"axis": 0, "n": 2}),
    ("argsort", (X,), {"axis": 0}), ("sort", (X,), {}),
    ("broadcast_arrays", (X, X[:1]), {}), ("broadcast_to", (X, (2, 3, 4)), {}),
    ("concat", ([X, X],), {"axis": 1}), ("concat", ([X, X],), {"axis": None}),
    ("expand_dims", (X,), {"axis": 1}), ("flip", (X,), {}), ("flip", (X,), {"axis": 1}),
    ("moveaxis", (SQUARE, 0, 2), {}), ("permute_dims", (SQUARE, (2, 0, 1)), {}),
    ("repeat", (X, 2), {"axis": 1}), ("repeat", (ROW, np.array([1, 0, 2, 1, 1])), {}),
    ("reshape", (X, (2, 6)), {}), ("roll", (X, 1), {}), ("roll", (X, (1, 2)), {"axis": (0, 1)}),
    ("squeeze", (X[:1], 0), {}), ("stack", ([X, X],), {"axis": 1}), ("tile", (X, (2, 1)), {}),
    ("unstack", (X,), {"axis": 1}), ("take", (X, np.array([2, 0, -1])), {"axis": 1}),
    ("take_along_axis", (X, np.argsort(X, 1)), {"axis": 1}), ("nonzero", (B,), {}),
    ("searchsorted", (np.sort(X[0]), X[1]), {"side": "right"}), ("where", (B, X, 2.0), {}),
    ("where", (B, I, I * 2), {}), ("unique_all", (ROW,), {}), ("unique_counts", (ROW,), {}),
    ("unique_inverse", (ROW,), {}),
    ("matmul", (X, X.T), {}), ("matrix_transpose", (SQUARE,), {}), ("vecdot", (C, C), {}),
    ("vecdot", (I, I), {"axis": 0}), ("tensordot", (X, X.T), {"axes": 1}),
    ("tensordot", (SQUARE, SQUARE), {"axes": ((1, 2), (2, 1))}),
    ("tril", (X,), {"k": 1}), ("triu", (X,), {"k": -1}), ("clip", (X, -0.2, 0.2), {}),
    ("clip", (I, None, 4), {}), ("clip", (X, X * 0, None), {}), ("astype", (X, "float32"), {}),
    ("isin", (ROW, np.array([1, 2])), {}), ("isin", (ROW, 3), {"invert": True}),
    ("isin", (np.array([np.nan, 1.0]), np.array([np.nan, 1.0])), {}),
    ("take", (X, np.array([2, -1], np.int8)), {"axis": 1}),
    ("take", (X, np.array([2, 0], np.uint8)), {"axis": 0}),
    ("sum", (X + 1.9,), {"axis": 0, "dtype": "int8"}),
    ("expand_dims", (X, (0, -1)), {}), ("permute_dims", (SQUARE, (-1, 0, 1)), {}),
    ("prod", (ARRAYS["small"],), {"axis": 0, "dtype": "int16"}),
    ("prod", (X,), {"axis": (0, 1), "dtype": "float32"}), ("prod", (I,), {"dtype": "float64"}),
    ("searchsorted", (ROW[1:3][::-1].copy(), 1), {"side": "right"}),
    ("linalg.cholesky", (SQUARE @ SQUARE.swapaxes(1, 2),), {}),
    ("linalg.cross", (X[:, :3], X[:, 1:]), {}), ("linalg.det", (SQUARE,), {}),
    ("linalg.diagonal", (SQUARE,), {"offset": 1}), ("linalg.eigvalsh", (HERMITIAN,), {}),
    ("linalg.inv", (SQUARE,), {}), ("linalg.matrix_norm", (SQUARE,), {"ord": 1}),
    ("linalg.matrix_power", (SQUARE, 3), {}), ("linalg.matrix_rank", (SQUARE,), {}),
    ("linalg.outer", (X[0], X[1]), {}), ("linalg.pinv", (X,), {}),
    ("linalg.slogdet", (SQUARE,), {}),
    ("linalg.solve", (SQUARE, X[:, 0]), {}), ("linalg.solve", (SQUARE, SQUARE), {}),
    ("linalg.svdvals", (X,), {}), ("linalg.trace", (SQUARE,), {}), ("linalg.trace", (I,), {}),
    ("linalg.vector_norm", (X,), {"axis": 1}), ("linalg.vector_norm", (SQUARE,), {"ord": 1}),
    ("fft.fft", (X,), {"n": 6}), ("fft.irfft", (C,), {"axis": 0}), ("fft.rfftn", (X,), {}),
    ("fft.hfft", (C,), {}), ("fft.fftshift", (X,), {}), ("fft.ifftshift", (X,), {"axes": (1,)}),
]  # fmt: skip


def call(namespace, name, args, kwargs):
    function = namespace
    for part in name.split("."):
        function = getattr(function, part)
    args = [getattr(namespace, a) if isinstance(a, str) else a for a in args]
    if "dtype" in kwargs:
        kwargs = {**kwargs, "dtype": getattr(namespace, kwargs["dtype"])}
    return function(*args, **kwargs)


def converted(value):
    if isinstance(value, np.ndarray):
        return xp.asarray(value)
    if isinstance(value, list):
        return [converted(v) for v in value]
    return value


@pytest.mark.parametrize(
    ("name", "args", "kwargs"), CALLS, ids=lambda v: v if isinstance(v, str) else ""
)
def test_functions_give_what_numpys_give(name, args, kwargs):
    same(call(xp, name, [converted(a) for a in args], kwargs), call(np, name, args, kwargs))


def test_distinct_values():
    same(xp.sort(xp.unique_values(xp.asarray(ROW))), np.unique(ROW))


def test_factorisations_have_names_and_give_the_matrix_back():
    a = xp.asarray(SQUARE)
    u, s, vh = xp.linalg.svd(a, full_matrices=False)
    torch.testing.assert_close((u * s[:, None, :]) @ vh, a)
    q, r = xp.linalg.qr(a)
    torch.testing.assert_close(q @ r, a)
    result = xp.linalg.eigh(xp.asarray(HERMITIAN))
    same(result.eigenvalues, np.linalg.eigvalsh(HERMITIAN))
    assert xp.linalg.svd(a)._fields == ("U", "S", "Vh") and xp.linalg.qr(a)._fields == ("Q", "R")


@pytest.mark.parametrize(
    ("name", "args", "kwargs"),
    [
        ("arange", (5,), {}), ("arange", (1, 9, 3), {}), ("arange", (5, 1), {}),
        ("eye", (3,), {}), ("eye", (2, 4), {"k": 1}), ("eye", (2, 3), {"k": -5}),
        ("linspace", (0.0, 1.0, 5), {"endpoint": False}), ("linspace", (0, 4, 3), {}),
        ("meshgrid", (X[0], X[1]), {"indexing": "ij"}), ("meshgrid", (X[0], X[1]), {}),
        ("full", ((2, 3), 7), {}), ("full", (3, True), {}), ("zeros", (3,), {}),
        ("ones", ((2, 0),), {}),
        ("full_like", (I, 3), {}), ("zeros_like", (B,), {}), ("ones_like", (C,), {}),
    ],
)  # fmt: skip
def test_new_arrays(name, args, kwargs):
    mine = call(xp, name, [converted(a) for a in args], kwargs)
    numpys = call(np, name, args, kwargs)
    if (
        isinstance(numpys, np.ndarray)
        and numpys.dtype == np.float64
        and not any(isinstance(a, np.ndarray) for a in args)
    ):
        numpys = numpys.astype(np.float32)  # the default
    same(mine, numpys)


def test_asarray_copies_when_it_must_and_when_it_is_asked_to():
    x = torch.ones(3)
    assert xp.asarray(x) is x or xp.asarray(x).data_ptr() == x.data_ptr()
    assert xp.asarray(x, copy=True).data_ptr() != x.data_ptr()
    with pytest.raises(ValueError, match="copy"):
        xp.asarray([1, 2], copy=False)
    with pytest.raises(ValueError, match="copy"):
        xp.asarray(x, dtype=xp.float64, copy=False)


def test_dtypes_are_promoted_as_the_standard_says():
    assert xp.result_type(xp.int8, xp.uint8) == xp.int16
    assert xp.result_type(xp.float32, xp.complex128) == xp.complex128
    assert xp.result_type(xp.asarray([1.0]), 2) == xp.float32
    for wrong in [(xp.int64, xp.float32), (xp.bool, xp.int8), (xp.asarray([1]), 2.0), (1, 2)]:
        with pytest.raises(TypeError):
            xp.result_type(*wrong)
    assert xp.can_cast(xp.int8, xp.int16) and not xp.can_cast(xp.float32, xp.int64)
    assert xp.isdtype(xp.int8, ("signed integer", "bool")) and not xp.isdtype(xp.bool, "numeric")
    assert xp.finfo(xp.complex64).bits == 32 and xp.iinfo(xp.uint8).max == 255
    assert xp.finfo(xp.complex64).dtype == xp.float32 and xp.iinfo(xp.uint8).dtype == xp.uint8
    with pytest.raises(ValueError):
        xp.isdtype(xp.int8, "small")


def test_the_namespace_says_what_it_has():
    x = torch.ones(2)
    assert x.__array_namespace__() is xp
    assert x.__array_namespace__(api_version=xp.__array_api_version__) is xp
    assert x.__array_namespace__(api_version="2022.12") is xp
    with pytest.raises(ValueError):
        x.__array_namespace__(api_version="1999.1")
    info = xp.__array_namespace_info__()
    assert set(info.dtypes(kind="integral")) == {"int8", "int16", "int32", "int64", "uint8"}
    assert info.default_dtypes()["real floating"] == xp.float32
    assert x.to_device(info.default_device()).tolist() == [1, 1]
    for name in xp.__all__:
        value = getattr(xp, name)
        if inspect.isfunction(value):
            assert value.__doc__, name


def test_gradients_pass_through():
    x = torch.tensor([[3.0, 4.0]], requires_grad=True)
    xp.sum(xp.multiply(xp.linalg.vector_norm(x, axis=1), 2.0)).backward()
    torch.testing.assert_close(x.grad, torch.tensor([[1.2, 1.6]]))
    assert xp.clip(x, 0, 3).requires_grad and not xp.argmax(x).requires_grad


def test_distinct_complex_numbers():
    x = np.array([[1 + 1j, 0, 1 - 1j], [1 + 1j, 0, 2]])
    values, first, inverse, counts = xp.unique_all(xp.asarray(x))
    same(values, np.unique(x))
    assert first.tolist() == [1, 2, 0, 5] and counts.tolist() == [2, 1, 2, 1]
    same(xp.take(values, inverse.reshape(-1)), x.reshape(-1))
    assert xp.unique_inverse(xp.zeros((0, 2), dtype=xp.complex64)).inverse_indices.shape == (0, 2)


def test_signs_of_nan():
    same(xp.sign(xp.asarray([np.nan, -2.0, 0.0])), np.array([np.nan, -1, 0], np.float32))


def test_bounds_outside_of_a_dtype():
    x = np.array([0, 3, 255], np.uint8)
    assert xp.clip(xp.asarray(x), -1, 2).tolist() == [0, 2, 2]
    assert xp.clip(xp.asarray(x), 1, 1000).tolist() == [1, 3, 255]


@pytest.mark.parametrize("name", ["sum", "prod", "max", "min", "argmax", "mean", "var", "std",
                                  "cumulative_sum", "diff"])  # fmt: skip
def test_reductions_of_numbers_refuse_truth_values(name):
    with pytest.raises(TypeError, match="dtypes, got torch.bool"):
        getattr(xp, name)(xp.asarray([True, False]))


def test_cross_products_are_broadcast():
    a, b = ARRAYS["real"][:, :3], ARRAYS["real"][0, 1:]
    same(xp.linalg.cross(xp.asarray(a), xp.asarray(b)), np.cross(a, b))
    with pytest.raises(ValueError, match="negative"):
        xp.linalg.cross(xp.asarray(a), xp.asarray(a), axis=0)


SIGNS = np.array([0.0, -0.0, 1.0, -1.0, 2.5, -2.5, np.inf, -np.inf, np.nan])


def signs_too(mine, numpys):
    np.testing.assert_array_equal(mine.numpy(), numpys)
    known = ~np.isnan(numpys)
    np.testing.assert_array_equal(np.signbit(mine.numpy())[known], np.signbit(numpys)[known])


@pytest.mark.parametrize(
    "name", ["remainder", "floor_divide", "pow", "atan2", "hypot", "divide", "copysign"]
)
def test_zeros_have_the_sign_and_infinities_the_meaning_that_the_standard_gives(name):
    x, y = (a.reshape(-1).copy() for a in np.meshgrid(SIGNS, SIGNS))
    with np.errstate(all="ignore"):
        signs_too(getattr(xp, name)(xp.asarray(x), xp.asarray(y)), getattr(np, name)(x, y))


def test_remainder_of_multiples_has_the_divisors_sign_and_a_gradient():
    x = torch.tensor([4.0, -4.0, 5.0], requires_grad=True)
    y = xp.remainder(x, torch.tensor([-2.0, 2.0, 2.0]))
    signs_too(y.detach(), np.array([-0.0, 0.0, 1.0], dtype=np.float32))
    y.sum().backward()
    assert x.grad.tolist() == [1, 1, 1]


def test_complex_expm1_where_parts_are_not_finite():
    inf, nan = np.inf, np.nan
    x = np.array([complex(inf, 0), complex(nan, 0), complex(-inf, nan), complex(-0.0, 0), 1j])
    y = xp.expm1(xp.asarray(x)).numpy()
    assert y[0] == complex(inf, 0) and np.isnan(y[1].real) and y[1].imag == 0
    assert y[2] == -1 and y[3] == 0 and not np.signbit(y[3].real)
    np.testing.assert_allclose(y[4], np.expm1(1j), rtol=1e-12)
    x = torch.tensor([complex(800.0, 1.0), complex(-inf, 0)], requires_grad=True)
    xp.real(xp.expm1(x * 1e-3)).sum().backward()
    assert x.grad.isfinite().all()


@pytest.mark.parametrize("side", ["left", "right"])
def test_nan_is_sought_behind_all_numbers(side):
    ordered = np.array([1.0, 2.0, np.inf, np.nan, np.nan])
    sought = np.array([[0.0, np.nan, 2.0], [np.inf, -np.inf, 3.0]])
    mine = xp.searchsorted(xp.asarray(ordered), xp.asarray(sought), side=side)
    same(mine, np.searchsorted(ordered, sought, side=side))


@pytest.mark.parametrize("wrong", [[0.0], [True, False]])
def test_only_integers_are_indices_to_take(wrong):
    with pytest.raises(TypeError, match="integers"):
        xp.take(xp.ones(2), xp.asarray(wrong))


def test_shapes_are_broadcast_without_arrays():
    assert xp.broadcast_shapes((2, 1), (3,), ()) == (2, 3) and xp.broadcast_shapes() == ()
    with pytest.raises(ValueError):
        xp.broadcast_shapes((2,), (3,))
    for axis in (3, (0, 0), (0, -4)):
        with pytest.raises(IndexError):
            xp.expand_dims(xp.ones((2, 3)), axis)


def test_eigenvalues_of_matrices_without_symmetry_are_complex():
    a = xp.asarray(np.array([[0.0, -1.0], [1.0, 0.0]]))
    values, vectors = xp.linalg.eig(a)
    assert values.dtype == vectors.dtype == xp.complex128
    torch.testing.assert_close(a.to(xp.complex128) @ vectors, vectors * values)
    assert sorted(v.imag for v in xp.linalg.eigvals(a).tolist()) == [-1, 1]


def test_an_array_on_a_device_that_is_not_there_is_refused():
    calls = [
        lambda **kw: xp.zeros(2, **kw), lambda **kw: xp.arange(2, **kw),
        lambda **kw: xp.eye(2, **kw), lambda **kw: xp.linspace(0, 1, 3, **kw),
        lambda **kw: xp.full(2, 1, **kw), lambda **kw: xp.ones_like(xp.ones(2), **kw),
        lambda **kw: xp.astype(xp.ones(2), xp.float64, **kw),
    ]  # fmt: skip
    for f in calls:
        assert f(device=xp.ones(1).device).device.type == "cpu"
        with pytest.raises(RuntimeError, match="meta"):
            f(device="meta")


def test_read_only_memory_is_shared_by_the_newer_protocol():
    x = np.arange(3.0)
    x.flags.writeable = False
    assert xp.from_dlpack(x).tolist() == [0, 1, 2]
    assert xp.from_dlpack(x, copy=True).data_ptr() != x.ctypes.data

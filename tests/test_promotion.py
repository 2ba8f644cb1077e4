"""Which dtype a result has: of two tensors, of a tensor and a number, of each kind of op."""

import pytest
from _backend import torch

CODES = {
    "b1": "bool", "u1": "uint8", "i1": "int8", "i2": "int16", "i4": "int32", "i8": "int64",
    "f2": "float16", "bf": "bfloat16", "f4": "float32", "f8": "float64",
    "c8": "complex64", "c16": "complex128",
}  # fmt: skip
ARITHMETIC = ["b1", "u1", "i1", "i2", "i4", "i8", "f4", "f8"]  # the dtypes that ops compute in
NUMBERS = {"True": True, "1": 1, "1.5": 1.5, "1j": 1j}


def dtype(code):
    return getattr(torch, CODES[code])


def table(text):
    """{(row, column): cell} of a table with a line of column names above; '.' is no statement."""
    columns, *rows = (line.split() for line in text.strip().splitlines())
    return {
        (row, column): cell
        for row, *cells in rows
        for column, cell in zip(columns, cells, strict=True)
        if cell != "."
    }


# Both with dims (or both without): the smallest dtype that holds both categories and ranges.
PROMOTED = table("""
      b1  u1  i1  i2  i4  i8  f2  bf  f4  f8  c8 c16
 b1   b1  u1  i1  i2  i4  i8  f2  bf  f4  f8  c8 c16
 u1   u1  u1  i2  i2  i4  i8  f2  bf  f4  f8  c8 c16
 i1   i1  i2  i1  i2  i4  i8  f2  bf  f4  f8  c8 c16
 i2   i2  i2  i2  i2  i4  i8  f2  bf  f4  f8  c8 c16
 i4   i4  i4  i4  i4  i4  i8  f2  bf  f4  f8  c8 c16
 i8   i8  i8  i8  i8  i8  i8  f2  bf  f4  f8  c8 c16
 f2   f2  f2  f2  f2  f2  f2  f2  f4  f4  f8  c8 c16
 bf   bf  bf  bf  bf  bf  bf  f4  bf  f4  f8  c8 c16
 f4   f4  f4  f4  f4  f4  f4  f4  f4  f4  f8  c8 c16
 f8   f8  f8  f8  f8  f8  f8  f8  f8  f8  f8 c16 c16
 c8   c8  c8  c8  c8  c8  c8  c8  c8  c8 c16  c8 c16
c16  c16 c16 c16 c16 c16 c16 c16 c16 c16 c16 c16 c16
""")

# Rows have dims, columns have none: these count only if they are of a higher category.
WITH_0D = table("""
      b1  u1  i1  i2  i4  i8  f2  bf  f4  f8  c8 c16
 b1   b1  u1  i1  i2  i4  i8  f2  bf  f4  f8  c8 c16
 u1   u1  u1  u1  u1  u1  u1  f2  bf  f4  f8  c8 c16
 i1   i1  i1  i1  i1  i1  i1  f2  bf  f4  f8  c8 c16
 i2   i2  i2  i2  i2  i2  i2  f2  bf  f4  f8  c8 c16
 i4   i4  i4  i4  i4  i4  i4  f2  bf  f4  f8  c8 c16
 i8   i8  i8  i8  i8  i8  i8  f2  bf  f4  f8  c8 c16
 f2   f2  f2  f2  f2  f2  f2  f2  f2  f2  f2   .   .
 bf   bf  bf  bf  bf  bf  bf  bf  bf  bf  bf  c8  c8
 f4   f4  f4  f4  f4  f4  f4  f4  f4  f4  f4  c8  c8
 f8   f8  f8  f8  f8  f8  f8  f8  f8  f8  f8 c16 c16
 c8   c8  c8  c8  c8  c8  c8  c8  c8  c8  c8  c8  c8
c16  c16 c16 c16 c16 c16 c16 c16 c16 c16 c16 c16 c16
""")

# Python numbers: only their category counts, and the default dtype of it where that is higher.
WITH_NUMBER = table("""
     True   1 1.5  1j
 b1   b1   i8  f4  c8
 u1   u1   u1  f4  c8
 i1   i1   i1  f4  c8
 i2   i2   i2  f4  c8
 i4   i4   i4  f4  c8
 i8   i8   i8  f4  c8
 f2   f2   f2  f2   .
 bf   bf   bf  bf  c8
 f4   f4   f4  f4  c8
 f8   f8   f8  f8 c16
 c8   c8   c8  c8  c8
c16  c16  c16 c16 c16
""")


def test_promote_types():
    for (a, b), expected in PROMOTED.items():
        assert torch.promote_types(dtype(a), dtype(b)) == dtype(expected), (a, b)


def test_result_type_of_tensors():
    for (a, b), expected in PROMOTED.items():
        for shape in [(1,), ()]:
            x, y = torch.ones(shape, dtype=dtype(a)), torch.ones(shape, dtype=dtype(b))
            assert torch.result_type(x, y) == dtype(expected), (a, b, shape)


def test_result_type_with_a_0d_tensor():
    for (a, b), expected in WITH_0D.items():
        x, y = torch.ones(2, dtype=dtype(a)), torch.ones((), dtype=dtype(b))
        assert torch.result_type(x, y) == torch.result_type(y, x) == dtype(expected), (a, b)


def test_result_type_with_a_number():
    for (a, number), expected in WITH_NUMBER.items():
        for shape in [(2,), ()]:
            x = torch.ones(shape, dtype=dtype(a))
            assert torch.result_type(x, NUMBERS[number]) == dtype(expected), (a, number)
            assert torch.result_type(NUMBERS[number], x) == dtype(expected), (a, number)


def test_can_cast():
    category = {"b": 0, "u": 1, "i": 1, "f": 2, "c": 3}  # never to a lower one
    for a in CODES:
        for b in CODES:
            down = category[a[0] if a != "bf" else "f"] > category[b[0] if b != "bf" else "f"]
            assert torch.can_cast(dtype(a), dtype(b)) == (not down), (a, b)
    assert not torch.can_cast(torch.uint8, torch.bool)
    assert torch.can_cast(torch.float64, torch.float32)


@pytest.mark.parametrize("a", ARITHMETIC)
def test_arithmetic_follows_the_tables(a):
    for b in ARITHMETIC:
        x, y = torch.ones(2, dtype=dtype(a)), torch.ones(2, dtype=dtype(b))
        for rules, other in [(PROMOTED, y), (WITH_0D, y[0])]:
            expected = rules[a, b]
            assert (x * other).dtype == (other * x).dtype == dtype(expected)
            assert (x + other).dtype == torch.maximum(x, other).dtype == dtype(expected)
            assert torch.where(x > 0, x, other).dtype == dtype(expected)
            assert (x / other).dtype == dtype(expected if expected[0] == "f" else "f4")
            assert (x == other).dtype == torch.bool
        assert torch.cat([x, y]).dtype == torch.stack([x, y]).dtype == dtype(PROMOTED[a, b])
    for number in ("True", "1", "1.5"):
        value, expected = NUMBERS[number], dtype(WITH_NUMBER[a, number])
        assert (x + value).dtype == (value * x).dtype == expected
        assert (x.sum(0, dtype=x.dtype) + value).dtype == expected  # 0-d


# What ops make of one argument of each dtype; -- is an error.
RESULTS = """
                    b1 u1 i1 i2 i4 i8 f4 f8
x + x               b1 u1 i1 i2 i4 i8 f4 f8
x - x               -- u1 i1 i2 i4 i8 f4 f8
1 - x               -- u1 i1 i2 i4 i8 f4 f8
x / x               f4 f4 f4 f4 f4 f4 f4 f8
x // x              .  u1 i1 i2 i4 i8 f4 f8
x % x               .  u1 i1 i2 i4 i8 f4 f8
x ** x              .  u1 i1 i2 i4 i8 f4 f8
x ** 2              i8 u1 i1 i2 i4 i8 f4 f8
2 ** x              i8 u1 i1 i2 i4 i8 f4 f8
x ** 0.5            f4 f4 f4 f4 f4 f4 f4 f8
x ** -1             .  -- -- -- -- -- f4 f8
2 / x               f4 f4 f4 f4 f4 f4 f4 f8
-x                  -- u1 i1 i2 i4 i8 f4 f8
~x                  b1 u1 i1 i2 i4 i8 -- --
x & x               b1 u1 i1 i2 i4 i8 -- --
abs(x)              .  u1 i1 i2 i4 i8 f4 f8
x < x               b1 b1 b1 b1 b1 b1 b1 b1
x.exp()             f4 f4 f4 f4 f4 f4 f4 f8
x.sqrt()            f4 f4 f4 f4 f4 f4 f4 f8
x.sin()             f4 f4 f4 f4 f4 f4 f4 f8
x.sigmoid()         f4 f4 f4 f4 f4 f4 f4 f8
x.relu()            .  u1 i1 i2 i4 i8 f4 f8
x.sign()            b1 u1 i1 i2 i4 i8 f4 f8
x.floor()           .  u1 i1 i2 i4 i8 f4 f8
x.clamp(0, 1)       i8 u1 i1 i2 i4 i8 f4 f8
x.clamp(min=0.5)    f4 f4 f4 f4 f4 f4 f4 f8
x.sum()             i8 i8 i8 i8 i8 i8 f4 f8
x.prod()            i8 i8 i8 i8 i8 i8 f4 f8
x.cumsum(0)         i8 i8 i8 i8 i8 i8 f4 f8
x.mean()            -- -- -- -- -- -- f4 f8
x.std()             -- -- -- -- -- -- f4 f8
x.norm()            -- -- -- -- -- -- f4 f8
x.softmax(0)        .  -- -- -- -- -- f4 f8
x.logsumexp(0)      f4 f4 f4 f4 f4 f4 f4 f8
x.max()             b1 u1 i1 i2 i4 i8 f4 f8
x.amax()            b1 u1 i1 i2 i4 i8 f4 f8
x.argmax()          .  i8 i8 i8 i8 i8 i8 i8
x.sort()[0]         b1 u1 i1 i2 i4 i8 f4 f8
x.sort()[1]         i8 i8 i8 i8 i8 i8 i8 i8
x.all()             b1 u1 b1 b1 b1 b1 b1 b1
x.any()             b1 u1 b1 b1 b1 b1 b1 b1
x @ x               .  u1 i1 i2 i4 i8 f4 f8
x.sum(dtype=f4)     f4 f4 f4 f4 f4 f4 f4 f4
torch.where(c, x, 0)    i8 u1 i1 i2 i4 i8 f4 f8
torch.where(c, x, 1.5)  f4 f4 f4 f4 f4 f4 f4 f8
torch.add(x, x, alpha=2)    .  u1 i1 i2 i4 i8 f4 f8
torch.floor_divide(x, 2)    i8 u1 i1 i2 i4 i8 f4 f8
torch.logical_not(x)        b1 b1 b1 b1 b1 b1 b1 b1
"""


@pytest.mark.parametrize(
    "expression, expected",
    [(line[:-23].strip(), line[-23:].split()) for line in RESULTS.strip().splitlines()[1:]],
)
def test_results(expression, expected):
    for a, result in zip(ARITHMETIC, expected, strict=True):
        x = torch.ones(2, dtype=dtype(a))
        scope = {"x": x, "c": torch.ones(2) > 0, "f4": torch.float32, "torch": torch}
        if result == "--":
            with pytest.raises((RuntimeError, TypeError)):
                eval(expression, scope)
        elif result != ".":
            assert eval(expression, scope).dtype == dtype(result), a


def test_integer_values_are_exact():
    big = 2**61 + 1  # a float64 would round it
    x = torch.tensor([big, -big])
    assert (x + 1).tolist() == [big + 1, -big + 1]
    assert (x - big).tolist() == [0, -2 * big]
    assert x.sum() == 0 and x.max() == big and (x == big).tolist() == [True, False]
    assert torch.tensor([3, 5]).mul(2**61).sum() == 0  # 2**64 wraps around
    assert (torch.tensor([200], dtype=torch.uint8) + 100).tolist() == [44]
    assert (torch.tensor([100], dtype=torch.int8) * 2).tolist() == [-56]


def test_division():
    a, b = torch.tensor([7, -7, 7, -7]), torch.tensor([2, 2, -2, -2])
    assert (a / b).tolist() == [3.5, -3.5, -3.5, 3.5]
    assert (a // b).tolist() == [3, -4, -4, 3]  # towards minus infinity, as Python
    assert (a % b).tolist() == [1, 1, -1, -1]  # the sign of the divisor, as Python
    assert torch.div(a, b, rounding_mode="trunc").tolist() == [3, -3, -3, 3]
    assert (a.double() // b).tolist() == [3, -4, -4, 3]
    assert (a.double() % b).tolist() == [1, 1, -1, -1]
    with pytest.raises((RuntimeError, ZeroDivisionError)):
        a // 0
    assert (a.double() / 0).tolist() == [float("inf"), float("-inf")] * 2


def test_explicit_conversions():
    x = torch.tensor([0.0, 1.9, -1.9])
    assert x.long().tolist() == x.to(torch.int32).tolist() == [0, 1, -1]
    assert x.bool().tolist() == [False, True, True]
    assert x.double().dtype == x.type(torch.float64).dtype == torch.float64
    assert x.int().dtype == torch.int32 and x.short().dtype == torch.int16
    assert x.byte().dtype == torch.uint8 and x.char().dtype == torch.int8
    assert x.type_as(torch.ones(1, dtype=torch.int64)).tolist() == [0, 1, -1]
    assert torch.tensor([True]).float().tolist() == [1]


@pytest.mark.parametrize("code, kept", [("f2", 0.333251953125), ("bf", 0.333984375)])
def test_half_precision_rounds_to_nearest(code, kept):
    x = torch.tensor([1 / 3, 1.0, float("inf"), float("nan")], dtype=torch.float64)
    y = x.to(dtype(code))
    assert y.tolist()[:3] == [kept, 1, float("inf")] and y[3] != y[3]
    assert y.float().tolist()[:3] == [kept, 1, float("inf")]
    assert y.element_size() == 2


def test_default_dtype():
    try:
        torch.set_default_dtype(torch.float64)
        assert torch.tensor(1.5).dtype == torch.ones(1).dtype == torch.float64
        assert (torch.arange(2) / 2).dtype == (torch.arange(2) + 1.5).dtype == torch.float64
        assert torch.tensor(1j).dtype == torch.complex128
        assert torch.result_type(torch.arange(2), 1.5) == torch.float64
    finally:
        torch.set_default_dtype(torch.float32)
    with pytest.raises(TypeError):
        torch.set_default_dtype(torch.int64)


@pytest.mark.parametrize("reduce", [torch.sum, torch.prod, torch.cumsum, torch.cumprod])
def test_elements_are_converted_before_they_are_reduced(reduce):
    x = torch.tensor([1.5, 1.5, -1.5])
    for dtype in (torch.int64, torch.int8, torch.bool, torch.float64):
        expected = reduce(x.to(dtype), 0).to(dtype)
        torch.testing.assert_close(reduce(x, 0, dtype=dtype), expected)

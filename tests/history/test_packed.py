"""What is packed comes out as it went in, whatever it is, and an even stream packs well."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.refusals import result_or_refusal
from tui.history.board_samples import BoardSample, pack_samples, step, unpack_samples
from tui.history.token_times import pack_times, unpack_times
from tui.history.varint import append_unsigned, read_all, unzigzag, zigzag

TIMES = st.lists(st.integers(-(2**70), 2**70))
NAMES = st.text(st.characters(codec="utf-8"), max_size=12)
VALUES = st.none() | st.floats(allow_nan=False, allow_infinity=False, width=32)


@given(st.lists(st.integers(-(2**80), 2**80)))
def test_any_number_comes_back(numbers: list[int]) -> None:
    out = bytearray()
    for number in numbers:
        append_unsigned(out, zigzag(number))
    assert [unzigzag(value) for value in read_all(bytes(out))] == numbers


def test_numbers_that_end_in_the_middle_are_an_error() -> None:
    out = bytearray()
    append_unsigned(out, 300)
    with pytest.raises(ValueError, match="middle"):
        list(read_all(bytes(out[:-1])))


@given(st.integers(-(2**62), 2**62), TIMES)
def test_any_times_come_back_to_the_microsecond(t0_ns: int, stamps_ns: list[int]) -> None:
    found = unpack_times(pack_times(t0_ns, stamps_ns))
    assert len(found) == len(stamps_ns)
    for t_ns, stored_ns in zip(stamps_ns, found, strict=True):
        assert stored_ns % 1000 == 0
        assert abs(t_ns - t0_ns - stored_ns) <= 500


def test_an_even_stream_takes_two_bytes_a_token() -> None:
    # 3.13 tokens a second, each up to 4 ms early or late.
    stamps_ns = [n * 319_488_000 + (n * 7919 % 8000 - 4000) * 1000 for n in range(1, 2000)]
    assert len(pack_times(0, stamps_ns)) / len(stamps_ns) <= 2.05


@given(
    st.lists(
        st.builds(BoardSample, st.integers(0, 2**62), st.dictionaries(NAMES, VALUES, max_size=4)),
        max_size=20,
    )
)
def test_any_samples_come_back_within_half_a_step(samples: list[BoardSample]) -> None:
    found = unpack_samples(pack_samples(samples))
    names = {name for sample in samples for name in sample.values}
    assert len(found) == len(samples)
    for sample, stored in zip(samples, found, strict=True):
        assert abs(sample.t_ns - stored.t_ns) <= max(500_000, abs(sample.t_ns) * 1e-15)
        assert set(stored.values) == names
        for name in names:
            value, kept = sample.values.get(name), stored.values[name]
            if value is None:
                assert kept is None
            else:
                assert kept == pytest.approx(value, abs=step(name) * 0.5001, rel=1e-9)


def test_what_is_not_finite_is_absent() -> None:
    (sample,) = unpack_samples(pack_samples([BoardSample(0, {"a": float("nan"), "b": 1.0})]))
    assert sample.values == {"a": None, "b": 1.0}


@given(st.binary(max_size=200))
def test_damaged_samples_are_a_value_error(data: bytes) -> None:
    samples, refusal = result_or_refusal(ValueError, lambda: unpack_samples(data))
    if samples is None:
        assert "damaged" in str(refusal)
    else:
        assert all(isinstance(sample, BoardSample) for sample in samples)


def test_cut_samples_are_a_value_error() -> None:
    data = pack_samples([BoardSample(n * 10**9, {"npu.load.0": n % 7}) for n in range(50)])
    with pytest.raises(ValueError, match="damaged"):
        unpack_samples(data[: len(data) // 2])

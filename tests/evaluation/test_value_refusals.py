"""Values that are not probabilities: which cure is proposed, at the limits at which it changes."""

from __future__ import annotations

import numpy as np
import pytest

from softdice_cli import Settings, evaluate
from softdice_cli.evaluation.value_refusals import refuse_kind, refuse_values
from softdice_cli.overlap import Facts, decoding_for
from softdice_cli.overlap.full_scale import full_scale, greatest_of
from softdice_cli.readers import Source


def source(dtype: str = "f4", high: float = 1) -> Source:
    return Source(name="p.npy", format="npy", array=np.array([[0, high]], dtype), stored=np.dtype(dtype).name)


CLIP, CHECK = "clip before you save", "check what was saved"


@pytest.mark.parametrize(
    ("low", "high", "hint"),
    [
        # rounding errors on either side, as far as they go, and further
        (-1e-3, 1.0, CLIP),
        (-1.1e-3, 1.0, "--activation softmax, if these are logits"),
        (0.0, 1.01, CLIP),
        (0.0, 1.011, CHECK),
        # multiples of probabilities, from a third of what they were multiplied by; logits are not all above 0
        (0.0, 1.5, CHECK),
        (0.0, 33.0, CHECK),
        (0.0, 34.0, "divide by 100 before"),
        (0.0, 100.0, "divide by 100 before"),
        (0.0, 101.0, "divide by 255 before"),
        (0.0, 255.0, "divide by 255 before"),
        (0.0, 256.0, CHECK),
        (0.0, 65535.0, "divide by 65535 before"),
        (0.0, 65536.0, CHECK),
        # nothing above 0, and something
        (-9.0, 0.0, "if these are log-probabilities or logits"),
        (-9.0, 0.1, "if these are logits"),
    ],
)
def test_what_floats_out_of_range_may_be(low, high, hint):
    decoding = decoding_for(Settings().resolve(3, path=""), 2.0**-23)
    assert hint in refuse_values(Facts(low=low, high=high), decoding, source()).hint


def test_after_an_activation_there_is_nothing_left_to_propose():
    decoding = decoding_for(Settings(activation="sigmoid").resolve(1, path=""), 2.0**-23)
    assert refuse_values(Facts(low=-9, high=9), decoding, source()).hint == CHECK


@pytest.mark.parametrize(
    ("high", "reach", "top"),
    [
        # one-hot, whatever the type
        (1, 1, 1),
        (0, 255, 1),
        (1, 65535, 1),
        # 8 bits, also in a wider type
        (2, 255, 255),
        (255, 65535, 255),
        (256, 65535, 65535),
        # a signed byte has no usual full scale but its own
        (2, 127, 127),
        (300, 32767, 32767),
        # of a wide type only what is there tells
        (65536, 2**31 - 1, 65536),
    ],
)
def test_the_likely_full_scale(high, reach, top):
    assert full_scale(high, reach) == top


def test_the_greatest_integer_of_a_type():
    assert [greatest_of(np.dtype(name)) for name in ("?", "i1", "u2")] == [1, 127, 65535]


@pytest.mark.parametrize(
    ("dtype", "scale", "problem"),
    [
        ("f4", None, None),
        ("f4", 255, "holds floats, and a scale is for integers"),
        ("u1", None, "holds integers, not probabilities"),
        # the greatest scale that a type reaches, and the next
        ("u1", 255, None),
        ("u1", 256, "uint8 holds at most 255"),
        ("?", 1, None),
        ("?", 2, "bool holds at most 1"),
    ],
)
def test_kinds(dtype, scale, problem):
    error = refuse_kind(source(dtype), Settings(scale=scale))
    assert (error is None) == (problem is None)
    assert error is None or problem in error.problem


def test_damage_is_named_where_it_looks_like_another_mistake(tmp_path):
    """The checksum of a large map is looked at only where its values are refused, so that no hint leads around it."""
    import torch

    maps = np.full((4, 300, 300), 0.25, np.float32)
    torch.save(torch.from_numpy(maps), tmp_path / "p.pt")
    np.save(tmp_path / "g.npy", np.zeros((300, 300), np.uint8))
    data = bytearray((tmp_path / "p.pt").read_bytes())
    assert len(data) > 2**20
    # The exponent of one value, in the middle of them.
    place = data.index(np.float32(0.25).tobytes() * 4, len(data) // 2)
    data[place + 3] ^= 1
    (tmp_path / "p.pt").write_bytes(data)
    (failure,) = evaluate([(tmp_path / "p.pt", tmp_path / "g.npy")]).failures
    assert "is damaged" in failure.error
    assert "CRC-32" in failure.expected

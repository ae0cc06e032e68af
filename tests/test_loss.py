"""`SoftDiceLoss` is the notebook's loss: the same numbers, and a module that trains; and what `setup_system` sets."""

from __future__ import annotations

import dataclasses
import math
import random
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from softdice_cli import Reading, Settings, SoftDiceLoss, SystemConfig, evaluate, notebook, setup_system
from softdice_cli.errors import ConfigError, InputError, LabelError, ShapeError


def maps(*pixels: list[list[float]]) -> Tensor:
    """Images as rows of pixels a class → ``(B, C, n)``, float64."""
    return torch.tensor(pixels, dtype=torch.float64)


def labels(*images: list[int]) -> Tensor:
    """``(B, n)``."""
    return torch.tensor(images)


def draw(*shape: int, classes: int = 3, seed: int = 0) -> tuple[Tensor, Tensor]:
    """Probabilities ``(B, C, *S)``, float64, and labels ``(B, *S)``."""
    generator = torch.Generator().manual_seed(seed)
    batch, *space = shape
    p = torch.rand(batch, classes, *space, dtype=torch.float64, generator=generator).softmax(1)
    return p, torch.randint(0, max(2, classes), shape, generator=generator)


T1, T3, T4 = [[0.8, 0.3], [0.2, 0.7]], [[0.6, 0.1], [0.2, 0.2], [0.2, 0.7]], [[0.9, 0.4], [0.1, 0.6]]
PERFECT, SECOND = [[1.0, 0.0], [0.0, 1.0], [0.0, 0.0]], [[0.7, 0.8], [0.3, 0.2]]
IGNORED = {"ignore_index": 255}

# probabilities, target, options, loss of each class: section 2 of the design
BY_HAND = {
    "T1": (maps(T1), labels([0, 1]), {}, [-math.log(0.761905895686211), -math.log(0.7368434902974195)]),
    "T2": (maps(PERFECT), labels([0, 1]), {}, [0.0, 0.0, 0.0]),  # class 2 is absent
    # class 2 is absent, and predicted
    "T3": (maps(T3), labels([0, 1]), {}, [0.34830424330524473, 1.2527451116394954, 11.407576060361786]),
    # two images, pooled
    "T4": (maps(T4, SECOND), labels([0, 1], [0, 0]), {}, [0.18924164044380992, 0.6061320157159193]),
    # the third pixel is ignored
    "T5": (maps([[*c, 0.5] for c in T4]), labels([0, 1, 255]), IGNORED, [0.24512125030949664, 0.34830424330524473]),
    "T6": (maps([[0.5, 0.5]] * 2), labels([0, 1]), {}, [0.6931421805974449] * 2),
}


@pytest.mark.parametrize("case", BY_HAND)
def test_the_loss_is_the_one_computed_by_hand(case: str):
    p, target, options, by_class = BY_HAND[case]
    loss = SoftDiceLoss(p.shape[1], **options)(p, target)
    assert loss.shape == ()
    assert loss.dtype == torch.float64
    assert loss.item() == pytest.approx(math.fsum(by_class) / len(by_class), abs=1e-12)


NOTEBOOK = [
    (torch.float32, 1.8738912343978882, 5e-7),  # what it prints; four units in the last place
    (torch.float64, 1.873891106797835, 1e-12),
]


@pytest.mark.parametrize(("dtype", "expected", "tolerance"), NOTEBOOK)
def test_the_notebook_is_reproduced(dtype: torch.dtype, expected: float, tolerance: float):
    p, target = map(torch.from_numpy, notebook.example())
    loss = SoftDiceLoss(num_classes=3)(p[None].to(dtype), target[None])
    assert loss.dtype == dtype
    assert loss.item() == pytest.approx(expected, abs=tolerance)


@pytest.mark.parametrize("shape", [(1, 6), (2, 6), (3, 4, 5), (2, 3, 4, 5), (2, 1, 5), (2, 2, 2)], ids=str)
def test_a_channel_axis_of_the_target_changes_nothing(shape: tuple[int, ...]):
    p, target = draw(*shape)
    loss = SoftDiceLoss(3)
    assert loss(p, target.unsqueeze(1)) == loss(p, target)
    assert loss(p, target) == pytest.approx(loss(p.flatten(2), target.flatten(1)).item(), abs=1e-12)


INTEGERS = [torch.uint8, torch.int8, torch.int16, torch.int32, torch.int64, torch.uint16, torch.uint32, torch.uint64]
FLOATS = [torch.float16, torch.bfloat16, torch.float32]


@pytest.mark.parametrize("dtype", [*INTEGERS, *FLOATS], ids=str)
@pytest.mark.parametrize("options", [{}, {"ignore_index": 2}], ids=str)
def test_targets_of_any_type_that_holds_whole_numbers(dtype: torch.dtype, options: dict[str, int]):
    p, target = draw(2, 5, 5)
    loss = SoftDiceLoss(3, **options)
    assert loss(p, target.to(dtype)) == loss(p, target)


@pytest.mark.parametrize(
    ("dtype", "found", "ignore_index"),
    [
        (torch.uint8, 0, 256),  # a class disappears
        (torch.uint8, 1, -255),  # likewise
        (torch.uint8, 255, -1),  # a stray label is let through
        (torch.int8, -1, 255),
    ],
)
def test_ignore_index_is_compared_as_a_number(dtype: torch.dtype, found: int, ignore_index: int):
    p, target = draw(1, 4, classes=2)
    target[:] = torch.tensor([0, 1, found, found])
    loss = SoftDiceLoss(2, ignore_index=ignore_index)

    def outcome(target: Tensor) -> float | str:
        try:
            return loss(p, target).item()
        except LabelError as error:
            return error.headline()

    assert outcome(target.to(dtype)) == outcome(target)


def test_one_channel_is_the_foreground():
    p, target = draw(2, 5, 5, classes=2)
    soft = (2 * (p[:, 1] * target).sum() + 1e-5) / (p[:, 1].sum() + target.sum() + 1e-5)
    assert SoftDiceLoss(1)(p[:, 1:], target).item() == pytest.approx(-math.log(soft), abs=1e-12)
    assert SoftDiceLoss(1)(p[:, 1:], target.bool()[:, None]) == SoftDiceLoss(1)(p[:, 1:], target)


def test_an_ignored_class_is_as_if_its_pixels_were_dropped():
    p, target = draw(1, 40)
    keep = target[0] != 0
    dropped = SoftDiceLoss(3)(p[..., keep], target[:, keep])
    assert SoftDiceLoss(3, ignore_index=0)(p, target).item() == pytest.approx(dropped.item(), abs=1e-12)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16], ids=str)
def test_narrow_floats_are_summed_wide(dtype: torch.dtype):
    p = torch.full((1, 2, 400, 450), 0.5, dtype=dtype)  # Σp = 90 000, and float16 ends at 65 504
    target = torch.zeros(1, 400, 450, dtype=torch.uint8)
    target[:, :100] = 1
    loss = SoftDiceLoss(2)(p, target)
    assert loss.dtype == torch.float32
    assert loss.item() == pytest.approx(SoftDiceLoss(2)(p.double(), target).item(), abs=1e-6)


@pytest.mark.parametrize("options", [{}, {"ignore_index": 1}, {"ignore_index": 255}], ids=str)
def test_the_gradient_is_that_of_the_formula(options: dict[str, int]):
    p, target = draw(2, 3, 2)
    if options.get("ignore_index") == 255:
        target[0, 0] = 255
    loss = SoftDiceLoss(3, eps=0.1, **options)
    p.requires_grad_()
    assert torch.autograd.gradcheck(lambda x: loss(x, target), (p,))
    assert torch.autograd.gradgradcheck(lambda x: loss(x, target), (p,))


def test_a_network_learns_from_it():
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        network = torch.nn.Conv2d(2, 3, 1)
    images, target = draw(2, 8, 8, classes=2, seed=1)[0].float(), draw(2, 8, 8)[1]
    optimiser, loss = torch.optim.SGD(network.parameters(), lr=0.1), SoftDiceLoss(3)
    before = loss(network(images).softmax(1), target)
    before.backward()
    assert all(parameter.grad.abs().sum() > 0 for parameter in network.parameters())
    optimiser.step()
    assert loss(network(images).softmax(1), target) < before


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_what_is_under_an_ignored_pixel_reaches_nothing(bad: float):
    p, target = draw(2, 3, 4)
    target[0, 1, 2] = target[1, 0, 0] = 255
    loss = SoftDiceLoss(3, ignore_index=255)
    clean = p.clone().requires_grad_()
    dirty = torch.where((target == 255).unsqueeze(1), bad, p).requires_grad_()
    results = [loss(clean, target), loss(dirty, target)]
    for result in results:
        result.backward()
    assert results[0] == results[1]
    assert torch.equal(clean.grad, dirty.grad)
    assert clean.grad.movedim(1, -1)[target == 255].eq(0).all()


P, Y = draw(2, 4, 5)

# arguments of the module, probabilities, target, error, what its message says
REFUSED = {
    "a label above the classes": ((3,), P, Y + 3, LabelError, "expected  0 to 2\n  found     3, 4, 5"),
    "a negative label": ((3,), P, Y - 1, LabelError, "found     -1\n  try       ignore_index=…"),
    "half a label": ((3,), P, Y + 0.5, LabelError, "found     0.5, 1.5, 2.5"),
    "a label of nan": ((3,), P, Y * math.nan, LabelError, "found     nan"),
    "one channel, a label of 2": ((1,), P[:, :1], Y, LabelError, "expected  0 to 1\n  found     2"),
    "another size": ((3,), P, Y[:, :3], ShapeError, r"expected  (2, 4, 5), with or without a 1 at axis 1"),
    "a target that would broadcast": ((3,), P, Y[:1], ShapeError, "found     (1, 4, 5)"),
    "a one-hot target": ((3,), P, torch.zeros(2, 3, 4, 5), ShapeError, "found     (2, 3, 4, 5)"),
    "a 1 at the end": ((3,), P, Y[..., None], ShapeError, "found     (2, 4, 5, 1)"),
    "more channels than classes": ((2,), P, Y, ShapeError, "expected  (B, 2, *S)\n  found     (2, 3, 4, 5)"),
    "no channel axis": ((3,), P[:, 0], Y, ShapeError, "found     (2, 4, 5)"),
    "no axis of pixels": ((3,), P[..., 0, 0], Y[:, 0, 0], ShapeError, "found     (2, 3)"),
    "integer probabilities": (
        (3,),
        P.int(),
        Y,
        ShapeError,
        "the probabilities are not floats\n  expected  float16, bfloat16, float32 or float64\n  found     torch.int32",
    ),
    "float8": ((3,), P.to(torch.float8_e4m3fn), Y, ShapeError, "float8_e4m3fn\n  try       probabilities.float()"),
    "a sparse tensor": ((3,), P.to_sparse(), Y, ShapeError, "sparse_coo, on cpu\n  try       probabilities.to_dense()"),
    "a sparse target": ((3,), P, Y.to_sparse(), ShapeError, "not a dense tensor: target"),
    "complex probabilities": ((3,), P + 0j, Y, ShapeError, "found     torch.complex128"),
    # its imaginary part would be cut off
    "a complex target": ((3,), P, Y + 1j, ShapeError, "the target does not hold labels"),
    "a target of float8": ((3,), P, Y.to(torch.float8_e5m2), ShapeError, "found     torch.float8_e5m2"),
    "arrays": ((3,), P.numpy(), Y, ShapeError, "found     ndarray\n  try       torch.as_tensor(probabilities)"),
    "a list as target": ((3,), P, Y.tolist(), ShapeError, "found     list\n  try       torch.as_tensor(target)"),
    # its loss would be 0, which is perfect
    "an empty batch": ((3,), P[:0], Y[:0], ShapeError, "the target holds no pixel"),
    "values that are nowhere": ((3,), P.to("meta"), Y, ShapeError, "on meta\n  try       a device that holds values"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refusals_name_what_was_expected_and_found(case: str):
    arguments, p, target, error, message = REFUSED[case]
    with pytest.raises(error) as caught:
        SoftDiceLoss(*arguments)(p, target)
    assert isinstance(caught.value, InputError)
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((0,), "num_classes is 0\n  expected  1 or more"),
        ((3, 0.0), "eps is 0.0\n  expected  a finite number above 0"),
        ((3, -1e-5), "eps is -1e-05"),
        ((3, math.inf), "eps is inf"),
        ((3, math.nan), "eps is nan"),
    ],
)
def test_arguments_that_mean_nothing_are_refused(arguments: tuple[float, ...], message: str):
    with pytest.raises(ConfigError) as caught:
        SoftDiceLoss(*arguments)
    assert message in str(caught.value)


def test_the_smallest_epsilon_that_the_constructor_takes_gives_a_number():
    p = torch.tensor([[[1.0, 1.0], [0.0, 0.0]]])  # perfect, class 1 is absent
    assert SoftDiceLoss(2, eps=2e-38)(p, labels([0, 0])).item() == 0.0
    with pytest.raises(ConfigError, match="eps is 1e-46"):  # 0 in float32, and then an absent class would be 0/0
        SoftDiceLoss(2, eps=1e-46)


def test_the_module_shows_its_arguments_and_has_no_state():
    module = SoftDiceLoss(3, eps=0.5, ignore_index=255)
    assert repr(module) == "SoftDiceLoss(num_classes=3, eps=0.5, ignore_index=255)"
    assert module.state_dict() == {}
    assert list(module.parameters()) == []


@st.composite
def batches(draw_: st.DrawFn) -> tuple[Tensor, Tensor, int | None]:
    """Probabilities, labels, and an ignored label or none."""
    classes = draw_(st.integers(1, 6))
    shape = draw_(st.lists(st.integers(1, 7), min_size=2, max_size=4))
    p, target = draw(*shape, classes=max(2, classes), seed=draw_(st.integers(0, 2**32)))
    ignore = draw_(st.sampled_from([None, 255]))
    if ignore is not None and target[0].numel() > 1:
        target.flatten(1)[:, 0] = ignore
    return p[:, -classes:], target, ignore


@settings(deadline=None, max_examples=60)
@given(batches())
def test_it_agrees_with_the_pooled_loss_of_evaluate(batch: tuple[Tensor, Tensor, int | None]):
    p, target, ignore = batch
    with tempfile.TemporaryDirectory() as folder:
        pairs = [(Path(folder, f"p{index}.npy"), Path(folder, f"m{index}.npy")) for index in range(len(p))]
        for files, *arrays in zip(pairs, p.flatten(2).numpy(), target.flatten(1).numpy(), strict=True):
            for file, array in zip(files, arrays, strict=True):
                np.save(file, array)
        options = Settings(ignore=() if ignore is None else (ignore,))
        results = evaluate(pairs, settings=options, reading=Reading(layout="CW"))
    assert results.complete
    loss = SoftDiceLoss(p.shape[1], ignore_index=ignore)(p, target)
    assert loss.item() == pytest.approx(results.pooled.means.loss, abs=1e-12)


@pytest.fixture
def restored() -> Iterator[None]:
    """Puts back everything that `setup_system` changes."""
    cudnn, options = torch.backends.cudnn, dataclasses.replace(torch._tensor_str.PRINT_OPTS)
    kept = torch.get_rng_state(), np.random.get_state(), random.getstate(), cudnn.benchmark, cudnn.deterministic
    yield
    torch.set_rng_state(kept[0])
    np.random.set_state(kept[1])
    random.setstate(kept[2])
    cudnn.benchmark, cudnn.deterministic = kept[3:]
    torch._tensor_str.PRINT_OPTS = options


def draws() -> tuple[float, float, float]:
    return torch.rand(1).item(), float(np.random.random()), random.random()


@pytest.mark.usefixtures("restored")
@pytest.mark.parametrize("config", [None, SystemConfig(), SystemConfig(seed=7)], ids=str)
def test_setup_makes_the_draws_repeat(config: SystemConfig | None):
    setup_system(config)
    first = draws()
    assert draws() != first
    setup_system(config)
    assert draws() == first
    seed = config.seed if config else 42
    expected = torch.rand(1, generator=torch.Generator().manual_seed(seed)).item()
    assert first == (expected, np.random.RandomState(seed).random(), random.Random(seed).random())


@pytest.mark.usefixtures("restored")
def test_setup_prints_ten_digits_as_the_notebook_does():
    setup_system()
    assert str(torch.tensor(1 / 3, dtype=torch.float64)) == "tensor(0.3333333333, dtype=torch.float64)"
    setup_system(SystemConfig(print_precision=3))
    assert str(torch.tensor(1 / 3, dtype=torch.float64)) == "tensor(0.333, dtype=torch.float64)"


@pytest.mark.usefixtures("restored")
@pytest.mark.parametrize("benchmark", [True, False])
@pytest.mark.parametrize("deterministic", [True, False])
def test_setup_sets_the_flags_that_cudnn_reads(benchmark: bool, deterministic: bool):
    torch.backends.cudnn.benchmark, torch.backends.cudnn.deterministic = not benchmark, not deterministic
    setup_system(SystemConfig(cudnn_benchmark_enabled=benchmark, cudnn_deterministic=deterministic))
    assert torch.backends.cudnn.benchmark is benchmark
    assert torch.backends.cudnn.deterministic is deterministic


def test_the_configuration_is_the_notebooks_and_frozen():
    config = SystemConfig()
    assert dataclasses.astuple(config) == (42, 10, False, True)
    with pytest.raises(dataclasses.FrozenInstanceError):
        config.seed = 1

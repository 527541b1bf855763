"""Results that arrive behind a GPU's work, shown on a CPU with events and memory that are not a GPU's."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from attentive_gan.errors import UserError
from attentive_gan.inference import ImageRestorer, executors, results
from attentive_gan.inference.pixel_conversion import to_device
from attentive_gan.inference.results import MOST_ARRIVING, NotFiniteError, Results
from torch import Tensor, nn


class Event:
    """An event that has not happened until somebody waits for it."""

    waited: list[Event] = []

    def synchronize(self) -> None:
        Event.waited.append(self)


@pytest.fixture(autouse=True)
def without_a_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take ordinary memory for pinned memory, and let no value be read before the event."""
    monkeypatch.setattr(results, 'pinned_like', torch.empty_like)
    monkeypatch.setattr(results, 'recorded_event', lambda device: Event())
    Event.waited = []


def stored(deferred: bool, dtype: type, reverse: bool) -> np.ndarray:
    """Store random values part by part, some beyond the image."""
    values = torch.rand(1, 3, 30, 40, generator=torch.Generator().manual_seed(0)) * 1.2 - 0.1
    target = np.zeros((27, 38, 3), dtype)
    filled = Results([target], [reverse], deferred)
    for row in range(0, 30, 10):
        for column in (0, 20):
            filled.store(row, column, [values[:, :, row : row + 10, column : column + 20]])
    filled.finish()
    return target


@pytest.mark.parametrize('dtype', [np.uint8, np.uint16, np.float32])
@pytest.mark.parametrize('reverse', [False, True])
def test_late_parts_are_those_of_results_at_once(dtype: type, reverse: bool) -> None:
    late = stored(True, dtype, reverse)
    assert len(Event.waited) == 6
    np.testing.assert_array_equal(late, stored(False, dtype, reverse))
    assert len(Event.waited) == 6


def test_few_parts_are_on_their_way() -> None:
    target = np.zeros((50, 4, 3), np.uint8)
    filled = Results([target], [False], deferred=True)
    for row in range(50):
        filled.store(row, 0, [torch.ones(1, 3, 1, 4)])
        assert len(Event.waited) == max(row + 1 - MOST_ARRIVING, 0)
        assert (target[:, 0, 0] > 0).sum() == len(Event.waited)
    filled.finish()
    assert (target == 255).all()


def test_values_are_not_read_before_they_are_there(monkeypatch: pytest.MonkeyPatch) -> None:
    """Reading one would make the program wait for the GPU."""

    def read(*_: object) -> None:
        raise AssertionError('the program waits for a value')

    filled = Results([np.zeros((5, 4, 3), np.uint8)], [False], deferred=True)
    for name in ('item', '__bool__', 'numpy', 'cpu', 'tolist', '__float__'):
        monkeypatch.setattr(Tensor, name, read)
    filled.store(0, 0, [torch.ones(1, 3, 5, 4)])
    monkeypatch.undo()


def test_late_values_that_are_not_finite_are_refused() -> None:
    filled = Results([np.zeros((5, 4, 3), np.uint8)], [False], deferred=True)
    filled.store(3, 0, [torch.full((1, 3, 2, 4), torch.inf)])
    with pytest.raises(NotFiniteError, match='rows 3 to 5'):
        filled.finish()
    filled.store(3, 0, [torch.full((1, 3, 2, 4), torch.nan)])
    filled.discard()
    filled.finish()


@pytest.mark.parametrize(('rows', 'pinned'), [(10, True), (4000, False)])
def test_inputs_are_copied_behind_the_work_of_a_gpu(
    rows: int, pinned: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[object] = []
    monkeypatch.setattr(Tensor, 'pin_memory', lambda self: calls.append('pinned') or self)
    monkeypatch.setattr(
        Tensor, 'to', lambda self, device, non_blocking=False: calls.append(non_blocking) or self
    )
    part = np.ones((rows, 4000, 3), np.uint8)
    assert to_device(part, torch.device('cuda', 1)).shape == part.shape
    assert calls == (['pinned', True] if pinned else [False])
    calls.clear()
    to_device(part, torch.device('cpu'))
    assert calls == [False]


class Overflowing(nn.Module):
    """Changes nothing, but by numbers that float16 does not have where an image is bright."""

    def __init__(self) -> None:
        super().__init__()
        self.convolution = nn.Conv2d(3, 3, 1, bias=False)
        with torch.no_grad():
            self.convolution.weight.copy_(4e38 * torch.eye(3)[:, :, None, None] / 4)

    def forward(self, rainy: Tensor) -> Tensor:
        large = self.convolution(rainy)
        bright = large.dtype == torch.bfloat16 and rainy.max() > 0.9
        return rainy + (torch.inf if bright else 0.0) * (large.float() > 0)


@pytest.mark.parametrize('late', [False, True])
def test_an_image_is_restored_again_in_float32(late: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        executors, 'Results', lambda outputs, reverse, deferred: Results(outputs, reverse, late)
    )
    notes: list[str] = []
    made = ImageRestorer(network=Overflowing(), device='cpu', notify=notes.append)
    made.dtype = torch.bfloat16  # whatever this CPU is good at
    dark, bright = (np.full((20, 24, 3), value, np.uint8) for value in (100, 250))
    begun = made.begin([dark, bright, bright])
    for one, image in zip(begun, (dark, bright, bright), strict=True):
        np.testing.assert_array_equal(one.result().image, image)
        assert one.result() is one.result()
    assert len(notes) == 1
    assert 'bfloat16' in notes[0]
    assert 'float32' in notes[0]
    made.dtype = torch.float32
    made.restore(bright)


def test_what_is_not_finite_in_float32_either_is_an_error() -> None:
    class Broken(nn.Module):
        def forward(self, rainy: Tensor) -> Tensor:
            return rainy / 0

    made = ImageRestorer(network=Broken(), device='cpu')
    made.dtype = torch.bfloat16
    with pytest.raises(UserError, match='not finite'):
        made.restore(np.full((20, 24, 3), 9, np.uint8))

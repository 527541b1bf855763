"""What `card_benchmark` measures, the most important first."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

#: How numbers are computed: float32, float32 rounded to TF32 in products, or half precision.
Precision = Literal['fp32', 'tf32', 'bf16', 'fp16']


@dataclass(frozen=True)
class Copy:
    """A copy within the device's memory: the ceiling of what is bound by memory.

    Attributes:
        size: Bytes of the tensor; several times the last-level cache.
    """

    size: int


@dataclass(frozen=True)
class MatrixProduct:
    """A product of two square matrices of random numbers: the ceiling of arithmetic.

    Attributes:
        precision: Of the matrices.
        side: Rows and columns.
    """

    precision: Precision
    side: int


@dataclass(frozen=True)
class Inference:
    """Restoring: a forward pass with channels-last weights, without autograd.

    Attributes:
        network: Name of the network.
        width: W of the images.
        height: H of the images.
        batch: Images of a pass.
        precision: Half precision means weights and images of that type, as restoring does it.
        compiled: Whether the network is compiled.
    """

    network: str
    width: int
    height: int
    batch: int
    precision: Precision
    compiled: bool = False


@dataclass(frozen=True)
class TrainingStep:
    """An iteration of the editor: forward, losses, backward, Adam; channels-last weights.

    Attributes:
        joint: Whether the discriminator is trained and judges; else the generator learns alone.
        crop: Side of the square crops.
        batch: Crops of an iteration.
        precision: Half precision means autocast.
        compiled: Whether the networks are compiled.
    """

    joint: bool
    crop: int
    batch: int
    precision: Precision
    compiled: bool = False


Entry = Copy | MatrixProduct | Inference | TrainingStep


def full_plan(networks: Sequence[str]) -> list[Entry]:
    """Plan for a GPU of a data centre; takes a minute or two there.

    Args:
        networks: Names of the networks to restore with, the main one first.
    """
    main, others = networks[0], networks[1:]
    video, large = (720, 480), (1920, 1080)
    return [
        Copy(2**32),
        MatrixProduct('bf16', 8192),
        Inference(main, *video, 1, 'bf16'),
        *_steps(True, 224, 16, 24),
        *_steps(False, 128, 64),
        Inference(main, *large, 1, 'bf16'),
        *_steps(False, 224, 24),
        Inference(main, *video, 1, 'bf16', compiled=True),
        *(MatrixProduct(precision, 8192) for precision in ('tf32', 'fp32')),
        *(Inference(main, *size, 1, p) for size in (video, large) for p in ('tf32', 'fp32')),
        *_steps(True, 128, 64),
        *_steps(False, 128, 32, 128),
        *_steps(True, 224, 32, 48),
        *_steps(False, 224, 16, 48),
        Inference(main, *video, 8, 'bf16'),
        Inference(main, *video, 1, 'fp16'),
        *(Inference(name, *size, 1, 'bf16') for name in others for size in (video, large)),
        TrainingStep(False, 128, 64, 'bf16', compiled=True),
        Inference(main, *large, 1, 'bf16', compiled=True),
        TrainingStep(True, 224, 24, 'bf16', compiled=True),
    ]


def small_plan(networks: Sequence[str], compiled: bool = False) -> list[Entry]:
    """Plan that shows in seconds, on a CPU too, that everything runs; its figures say nothing.

    Args:
        networks: Names of the networks to restore with.
        compiled: Whether to compile a network too, which takes longer than all else.
    """
    plan: list[Entry] = [
        Copy(2**20),
        *(MatrixProduct(precision, 256) for precision in ('bf16', 'fp32')),
        *(Inference(name, 48, 32, 1, p) for name in networks for p in ('bf16', 'tf32', 'fp32')),
        TrainingStep(True, 32, 2, 'bf16'),
        TrainingStep(False, 32, 2, 'fp32'),
    ]
    if compiled:
        plan.append(Inference(networks[0], 48, 32, 1, 'fp32', compiled=True))
    return plan


def _steps(joint: bool, crop: int, *batches: int) -> Iterator[TrainingStep]:
    return (TrainingStep(joint, crop, batch, 'bf16') for batch in batches)

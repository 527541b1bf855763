"""Cost of an entry's network at a given size on a given device."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import Any

import torch
from torch import nn

from attentive_gan.models.networks.complexity import count_macs

from .network_timing import Setting, describe_machine, measure


@dataclass(frozen=True)
class CostSetting:
    """How cost is measured.

    Attributes:
        width: Width of the image in pixels.
        height: Height of the image in pixels.
        device: Device of the network.
        repeat: Timed passes after one to warm up.
        timing: Whether to measure time and memory, too.
    """

    width: int = 720
    height: int = 480
    device: str = 'cpu'
    repeat: int = 3
    timing: bool = True

    @property
    def size(self) -> str:
        """Size of the image as text, such as '720x480'."""
        return f'{self.width}x{self.height}'


@dataclass(frozen=True)
class Cost:
    """Cost of a network for one image; None where it was not measured.

    Attributes:
        setting: How it was measured.
        parameters: Number of parameters.
        gmacs: Billions of multiply-accumulates.
        milliseconds: Median time.
        fastest_milliseconds: Shortest time.
        slowest_milliseconds: Longest time.
        peak_gib: Peak of activations in GiB.
        machine: See `describe_machine`.
        missing: Why a value is missing, or None.
    """

    setting: CostSetting
    parameters: int
    gmacs: float | None = None
    milliseconds: float | None = None
    fastest_milliseconds: float | None = None
    slowest_milliseconds: float | None = None
    peak_gib: float | None = None
    machine: dict[str, Any] | None = None
    missing: str | None = None

    def is_current(self, setting: CostSetting) -> bool:
        """Return whether measuring by a setting, now and here, can only repeat these values.

        Measured times also remain where no new ones are wanted.
        """
        if self.missing:
            return False
        if self.machine and self.machine['threads'] != torch.get_num_threads():
            return False
        wanted = setting if setting.timing else replace(setting, timing=self.setting.timing)
        return self.setting == wanted


def measure_cost(network: nn.Module, setting: CostSetting) -> Cost:
    """Count parameters and multiply-accumulates of a network; measure its time and memory.

    Args:
        network: Maps images (N, 3, H, W) to images.
        setting: How to measure.

    Returns:
        The cost; where a value cannot be measured, `missing` says why.
    """
    cost = Cost(setting, sum(parameter.numel() for parameter in network.parameters()))
    try:
        cost = replace(cost, gmacs=count_macs(network, setting.height, setting.width) / 1e9)
        return replace(cost, **_time(network, setting)) if setting.timing else cost
    except Exception as error:  # noqa: BLE001 -- any network: a missing value must not end the run
        reason = f'{type(error).__name__}: {str(error).splitlines()[0][:200]}'
        return replace(cost, missing=reason)


def _time(network: nn.Module, setting: CostSetting) -> dict[str, Any]:
    """Measure time and peak memory of passes over one image."""
    how = Setting(torch.device(setting.device), repeat=setting.repeat)
    row = asdict(next(measure({'network': network}, [(setting.width, setting.height)], how)))
    names = ('milliseconds', 'fastest_milliseconds', 'slowest_milliseconds', 'peak_gib')
    return {**{name: row[name] for name in names}, 'machine': describe_machine(how)}

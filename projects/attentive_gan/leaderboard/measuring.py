"""What an entry's network costs, at a stated size on a stated device."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import torch
from torch import nn

from attentive_gan.models.networks.complexity import count_macs

from .network_source import NetworkSource
from .network_timing import Setting, describe_machine, measure
from .prediction_source import PredictionSource


@dataclass(frozen=True)
class CostSetting:
    """How cost is measured.

    Attributes:
        width: Width of the image in pixels.
        height: Its height in pixels.
        device: Where the network runs.
        repeat: Timed passes after one to warm up.
        timing: Whether to measure time and memory, too.
    """

    width: int = 720
    height: int = 480
    device: str = 'cpu'
    repeat: int = 3
    timing: bool = True


def measure_cost(restorer: PredictionSource, setting: CostSetting) -> dict[str, Any] | None:
    """Count parameters and multiply-accumulates of a network; measure its time and memory.

    Args:
        restorer: What made the images; only networks have a cost here.
        setting: How to measure.

    Returns:
        The figures, with the setting and the machine; None for what is no network. A figure that
        cannot be had is None, and `missing` says why.
    """
    network = restorer.network if isinstance(restorer, NetworkSource) else None
    if network is None:
        return None
    figures: dict[str, Any] = {
        'setting': asdict(setting),
        'parameters': sum(parameter.numel() for parameter in network.parameters()),
        'gmacs': None, 'milliseconds': None, 'peak_gib': None, 'machine': None, 'missing': None,
    }  # fmt: skip
    try:
        figures['gmacs'] = count_macs(network, setting.height, setting.width) / 1e9
        if setting.timing:
            figures.update(_timed(network, setting))
    except Exception as error:  # noqa: BLE001 -- any network: what one lacks must not end all
        figures['missing'] = f'{type(error).__name__}: {str(error).splitlines()[0][:200]}'
    return figures


def _timed(network: nn.Module, setting: CostSetting) -> dict[str, Any]:
    """Measure time and peak memory of passes over one image, with a warm-up."""
    how = Setting(torch.device(setting.device), repeat=setting.repeat)
    row = next(measure({'network': network}, [(setting.width, setting.height)], how))
    return {
        'milliseconds': row.milliseconds,
        'fastest_milliseconds': row.fastest_milliseconds,
        'slowest_milliseconds': row.slowest_milliseconds,
        'peak_gib': row.peak_gib,
        'machine': describe_machine(how),
    }

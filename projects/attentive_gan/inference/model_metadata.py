"""Metadata of an exported network: how to run it in parts and in which colour order."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, cast

from attentive_gan.errors import UserError
from attentive_gan.models.networks.padding import PaddingMode

from .streaming_ops import Reach

#: Identifies the keys; changes when their meaning does.
FORMAT = 'attentive_gan 1'


@dataclass(frozen=True)
class ModelMetadata:
    """Metadata of a network that takes RGB images `rainy` (N, 3, H, W), values 0 to 1, of any size."""

    name: str
    """Name of the network and its weights."""
    network_channel_order: Literal['rgb', 'bgr']
    """Order that the network works in; the file exchanges red and blue itself where needed."""
    size_multiple: int | None
    """What the file pads sides to multiples of; None if unknown."""
    padding_mode: PaddingMode
    """How it pads."""
    reach: Reach | None
    """How far a pixel of the result depends on the image; None if on the whole image."""
    bytes_per_pixel: float
    """Most memory in use at a time, by pixel of the image."""
    weights_sha256: str
    """SHA-256 of the weights' file, hexadecimal; empty if unknown."""

    def to_metadata(self) -> dict[str, str]:
        """Return the metadata as texts by name."""
        reach = '' if self.reach is None else f'{self.reach.before} {self.reach.after}'
        return {
            'format': FORMAT,
            'name': self.name,
            'channel_order': 'rgb',
            'network_channel_order': self.network_channel_order,
            'value_range': '0 1',
            'size_multiple': str(self.size_multiple or ''),
            'padding_mode': self.padding_mode,
            'receptive_field': reach,
            'bytes_per_pixel': f'{self.bytes_per_pixel:.0f}',
            'weights_sha256': self.weights_sha256,
        }

    @classmethod
    def from_metadata(cls, metadata: Mapping[str, str], source: str) -> ModelMetadata:
        """Read the metadata back.

        Args:
            metadata: Texts by name.
            source: Name of the file, for messages.

        Raises:
            UserError: They are not complete, or not of this format.
        """
        if metadata.get('format') != FORMAT:
            raise UserError(f'{source} has no metadata of this project; make it by tools/export.py')
        try:
            order, mode = metadata['network_channel_order'], metadata['padding_mode']
            if order not in ('rgb', 'bgr') or mode not in ('reflect', 'replicate'):
                raise ValueError(f'{order}, {mode}')
            reach = [int(part) for part in metadata['receptive_field'].split()]
            return cls(
                metadata['name'], cast(Literal['rgb', 'bgr'], order),
                int(metadata['size_multiple'] or 0) or None, cast(PaddingMode, mode),
                Reach(*reach) if reach else None, float(metadata['bytes_per_pixel']),
                metadata['weights_sha256'],
            )  # fmt: skip
        except (KeyError, ValueError, TypeError) as error:
            raise UserError(
                f'{source}: its metadata is damaged ({error!r}); export it again'
            ) from error

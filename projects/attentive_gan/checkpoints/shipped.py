"""Weights that ship with the package, with the SHA-256 of each file."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from attentive_gan.errors import UserError
from attentive_gan.utils.digests import digest

FOLDER = Path(__file__).resolve().parent.parent / 'weights'


@dataclass(frozen=True)
class ShippedWeights:
    """Weights in half precision; the card beside the file describes their training.

    Attributes:
        name: Name of the weights and of their config.
        sha256: SHA-256 of the file, hexadecimal.
    """

    name: str
    sha256: str

    @property
    def config(self) -> str:
        """Config in the repository that builds and trains the network."""
        return f'configs/{self.name}.py'

    @property
    def path(self) -> Path:
        """Verified weights file.

        Raises:
            UserError: It is missing or has another SHA-256.
        """
        path = FOLDER / f'{self.name}.safetensors'
        if not path.is_file():
            raise UserError(f'{path} is missing. Install the package again.')
        found = digest(path)
        if found != self.sha256:
            raise UserError(
                f'{path} is not the published file: its SHA-256 is {found}, expected {self.sha256}. '
                f'Install the package again.'
            )
        return path


SHIPPED = {
    name: ShippedWeights(name, sha256)
    for name, sha256 in {
        'attgan_small': 'f2dfcad9989653353f019a8dca72ff178c0302f84feeb555d1c4ea8c4c844674',
        'attgan_pool': '2024a0a7e93f7d9e7b7fec83cf39c3f671cd6ffec7ce2a56089bf26262cd4e34',
    }.items()
}


def shipped_weights(name: str) -> ShippedWeights:
    """Return shipped weights by name.

    Raises:
        UserError: There are no weights of this name.

    Example:
        >>> shipped_weights('attgan_small').config
        'configs/attgan_small.py'
    """
    if name not in SHIPPED:
        raise UserError(f'No weights named {name!r} are shipped; there are {sorted(SHIPPED)}.')
    return SHIPPED[name]

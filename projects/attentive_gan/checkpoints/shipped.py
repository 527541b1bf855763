"""The weights that come with the package, by name, with the checksum that their file must have."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from attentive_gan.errors import UserError
from attentive_gan.utils.digests import digest

FOLDER = Path(__file__).resolve().parent.parent / 'weights'


@dataclass(frozen=True)
class ShippedWeights:
    """A file in half precision; its card, the Markdown file beside it, says how it was made."""

    name: str
    """Name of the weights, and of the config that builds their network."""
    sha256: str
    """SHA-256 of the file, hexadecimal."""

    @property
    def config(self) -> str:
        """Config in the repository that builds and trains the network."""
        return f'configs/{self.name}.py'

    @property
    def path(self) -> Path:
        """File of the weights, verified.

        Raises:
            UserError: It is missing or differs from what was published.
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
    weights.name: weights
    for weights in (
        ShippedWeights(
            'unet_rendered', 'd505409c9857a4f2b405c620db5757015b2f0ae31fdf4053a5cc4afffb01d511'
        ),
        ShippedWeights(
            'attgan_small', '057fab1fe329f8569e76dfb328276666d8c35af444be354b44eece59bf784a50'
        ),
        ShippedWeights(
            'attgan_pool', 'ef1372d674696df4e950fbd0f275197479678ae2af6b951f8ba8d433162d6dc0'
        ),
    )
}


def shipped_weights(name: str) -> ShippedWeights:
    """Return weights by their name.

    Raises:
        UserError: There are none of this name.
    """
    if name not in SHIPPED:
        raise UserError(f'No weights named {name!r} are shipped; there are {sorted(SHIPPED)}.')
    return SHIPPED[name]

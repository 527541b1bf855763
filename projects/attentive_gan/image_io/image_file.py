"""An image with everything that its file stores besides colours: opacity, depth, profile, metadata."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from attentive_gan.utils.types import PixelArray


@dataclass(frozen=True)
class Extras:
    """Metadata beside EXIF data, profile and resolution."""

    xmp: bytes | None = None
    """XMP packet whose orientation is 1."""
    iptc: bytes | None = None
    """IPTC records (IIM)."""
    comment: bytes | None = None
    """Comment of a JPEG file."""
    png_chunks: tuple[tuple[bytes, bytes], ...] = ()
    """Kind and data of the chunks of a PNG file that describe its colours (gAMA, cHRM, sRGB, cICP) and of
    its texts."""
    dropped: tuple[str, ...] = ()
    """Names of what was in the file and cannot be kept in any format."""


@dataclass(frozen=True)
class ImageFile:
    """A decoded image file."""

    pixels: PixelArray
    """RGB (H, W, 3), uint8 or uint16, full range of the type, upright."""
    alpha: PixelArray | None = None
    """Opacity (H, W) of the same type; None if the file has none."""
    grey: bool = False
    """Whether the file stores one colour channel; the three of `pixels` are equal then."""
    icc_profile: bytes | None = None
    """Colour profile of the pixels; None if there is none, or if CMYK was converted to RGB."""
    exif: bytes | None = None
    """EXIF data with orientation 1 and without thumbnail, which would show the old image."""
    dpi: tuple[float, float] | None = None
    """Horizontal and vertical resolution in dots per inch."""
    format: str = 'PNG'
    """Key of `FORMATS`."""
    extras: Extras = field(default_factory=Extras)
    """What else the file says about its image."""

    @property
    def bits(self) -> int:
        """Bits per channel, 8 or 16."""
        return 8 * self.pixels.dtype.itemsize

    def with_pixels(self, pixels: PixelArray) -> ImageFile:
        """Return a copy with other pixels.

        Args:
            pixels: RGB, of the same shape and type.

        Raises:
            ValueError: Shape or type differs.
        """
        if pixels.shape != self.pixels.shape or pixels.dtype != self.pixels.dtype:
            raise ValueError(
                f'pixels must be {self.pixels.dtype} {self.pixels.shape}; '
                f'got {pixels.dtype} {pixels.shape}'
            )
        return replace(self, pixels=pixels)

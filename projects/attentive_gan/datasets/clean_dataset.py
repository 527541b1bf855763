"""Data sets of clean images, on which raindrops are rendered: photos in a folder, and drawn scenes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from mmagic.registry import DATASETS

from attentive_gan.errors import UserError
from attentive_gan.image_io import verify_complete
from attentive_gan.utils.checks import check_range

from .clean_images import DrawnScene, photos_below
from .held_out import Part, check_part, names_of_part
from .image_dataset import ImageDataset
from .pairing import Fault, raise_faults


@DATASETS.register_module()
class CleanImageDataset(ImageDataset):
    """Photos in a folder and its subfolders, verified when the data set is made.

    An entry has `gt_path` and `img_path` (both the photo, for messages and scores), `name` (its
    path below the folder), `size` (H, W).

    Args:
        data_root: Folder with PNG, JPEG, WebP, BMP or TIFF files; hidden ones are left out.
        part: 'all' photos, 'train' without the held-out ones, or 'held_out' alone. Which photos are held
            out depends on their names alone, not on their order or on the seed.
        held_out: Number of photos that are held out; of fewer than five times as many, a fifth.
        **kwargs: Arguments of `ImageDataset`.

    Raises:
        UserError: The folder is missing or empty, an image cannot be used, there are too few photos for
            two parts, or an option is out of its range.
    """

    def __init__(
        self, data_root: str, *args: Any, part: Part = 'all', held_out: int = 40, **kwargs: Any
    ) -> None:
        check_part(part, held_out)
        self.part = part
        self.held_out = held_out
        super().__init__(data_root, *args, **kwargs)

    def load_data_list(self) -> list[dict[str, Any]]:
        """Return one entry per photo.

        Raises:
            UserError: There are no photos, or any is faulty.
        """
        photos = self._of_part(photos_below(self.root))
        entries, faults = [], []
        for name, path in photos.items():
            try:
                header = verify_complete(path)
            except UserError as error:
                faults.append(Fault('an image cannot be used', str(error).rstrip('.'), ''))
                continue
            size = (header.height, header.width)
            place = str(path)
            entries.append({'img_path': place, 'gt_path': place, 'name': name, 'size': size})
        raise_faults(faults, self.root)
        return entries

    def _of_part(self, photos: dict[str, Path]) -> dict[str, Path]:
        names = names_of_part(list(photos), self.part, self.held_out, self.root, 'photo')
        return {name: photos[name] for name in names}


@DATASETS.register_module()
class DrawnSceneDataset(ImageDataset):
    """Clean images from nothing: scene number i is a function of seed and i alone.

    An entry has `gt_path` and `img_path` (a name such as 'scene_7'; there is no file), `name` and `size`.

    Args:
        length: Number of scenes.
        size: (height, width) of a scene in pixels, at least 16 each.
        night_share: Share of the scenes that are drawn at night, 0 to 1.
        seed: Seed of the scenes, and of the samples' random numbers where the sampler gives none.
        pipeline: Transforms; the first is usually `LoadCleanImage`.
        **kwargs: Other arguments of `ImageDataset`; with `cache=True` a scene is drawn once.

    Raises:
        UserError: An option is out of its range.
    """

    def __init__(
        self,
        length: int,
        size: tuple[int, int] = (480, 720),
        night_share: float = 0.0,
        *,
        seed: int = 0,
        **kwargs: Any,
    ) -> None:
        check_range('length', length, 1)
        self.length = length
        self.scenes = DrawnScene(seed, (int(size[0]), int(size[1])), night_share)
        described = {'dataset_name': 'drawn_scenes', **(kwargs.pop('metainfo', None) or {})}
        super().__init__('', seed=seed, metainfo=described, **kwargs)

    def load_data_list(self) -> list[dict[str, Any]]:
        """Return one entry per scene, with `scenes`, its `number` and `lighting` ('day' or 'night')."""
        return [
            {
                'img_path': f'scene_{number}',
                'gt_path': f'scene_{number}',
                'name': f'scene_{number}',
                'size': self.scenes.size,
                'scenes': self.scenes,
                'number': number,
                'lighting': self.scenes.lighting(number),
            }
            for number in range(self.length)
        ]

"""The scores of detection, through the tool; the figures are in docs/detect.md."""

from __future__ import annotations

import json
import sys
from types import SimpleNamespace

import numpy as np
import pytest
import score_detection
from attentive_gan.image_io import write_image
from benchmarks.detection import image_files, score_photos
from drawn_scenes.scenes import draw_scene


def test_scores_of_photos_and_rendered_drops(tmp_path, monkeypatch, capsys):
    for number in range(4):
        write_image(tmp_path / 'photos' / f'{number}.png', draw_scene(number, (64, 96)))
    out = tmp_path / 'scores.json'
    photos = tmp_path / 'photos'
    words = ['--photos', photos, '--wet', photos, '--images', '1', '--json', out]
    monkeypatch.setattr(sys, 'argv', ['score_detection.py', *map(str, words)])
    score_detection.main()
    assert 'windscreen' in capsys.readouterr().out
    rows = {row['images']: row for row in json.loads(out.read_text())['rows']}
    drops = [row for name, row in rows.items() if name.startswith('drops: ')]
    assert len(drops) == 8
    for row in drops:
        assert 0 <= row['iou'] <= 1
        assert row['area_error'] == pytest.approx(abs(row['area'] - row['true_area']), abs=1e-6)
    assert rows['dry: every second photo']['count'] == 2
    assert rows[f'wet: {tmp_path.name}/photos']['count'] == 4
    assert rows['dry: every second photo']['area'] is None


def test_alarms_are_counted(tmp_path):
    class Detector:
        restorer = SimpleNamespace(attend=lambda image: (image[..., 0] > 250).astype(np.float32))
        settings = SimpleNamespace(wet_above=0.5)

        @staticmethod
        def detect(image):
            return SimpleNamespace(wet=image.mean() > 100)

    for name, level in (('a.png', 20), ('b.jpg', 120), ('c.png', 255), ('d.png', 60)):
        write_image(tmp_path / name, np.full((8, 12, 3), level, np.uint8))
    (tmp_path / 'notes.txt').write_text('')
    row, wet = score_photos(Detector, 'all', image_files(tmp_path))
    assert (row.count, row.wet, row.attention_wet) == (4, 0.5, 0.25)
    assert [image.mean() > 100 for image in wet] == [True, True]

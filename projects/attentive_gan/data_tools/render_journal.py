"""What a run has finished so far, in a file that survives the sudden end of the process."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from attentive_gan.errors import UserError
from attentive_gan.utils.atomic_io import write_text

from .manifest import MANIFEST, changed_files, digest, read_manifest, write_manifest
from .render_jobs import RenderJob

#: Name of the journal in a data set's folder; it is there while the data set is unfinished.
JOURNAL = '.unfinished.jsonl'


class RenderJournal:
    """Records of finished images: one line of JSON each, appended as soon as an image is written.

    At the end of a run the records become the manifest, and the journal is removed. A line that was torn
    by the end of the process counts as not written.

    Args:
        out: Folder of the data set.
        made_from: All that the images depend on beside their clean images.
    """

    def __init__(self, out: Path, made_from: dict[str, Any]) -> None:
        self.out = out
        self.path = out / JOURNAL
        self.made_from = made_from
        self.records: dict[int, dict[str, Any]] = {}

    @property
    def unfinished(self) -> bool:
        """Whether a run was begun here and did not come to its end."""
        return self.path.is_file()

    def read(self) -> dict[str, Any] | None:
        """Read the records of earlier runs.

        Returns:
            What their images were made from; None where nothing is there.

        Raises:
            UserError: The manifest is broken.
        """
        manifest = read_manifest(self.out / MANIFEST) or {}
        lines = _lines(self.path)
        made_from = lines[0].get('made_from') if lines else manifest.get('made_from')
        if not lines or manifest.get('made_from') == made_from:
            self.records = {int(one['number']): one for one in manifest.get('images', [])}
        self.records |= {int(one['number']): one for one in lines[1:]}
        return made_from

    def keep(self, jobs: Sequence[RenderJob]) -> None:
        """Keep the records of jobs whose files are all there and whose photo is the same still."""
        self.records = {
            job.number: self.records[job.number]
            for job in jobs
            if job.number in self.records and self._stands(job)
        }

    def _stands(self, job: RenderJob) -> bool:
        record = self.records[job.number]
        if changed_files(self.out, record['sha256']):
            return False
        photo = job.source.path
        return photo is None or (photo.is_file() and digest(photo) == record['source_sha256'])

    def begin(self) -> None:
        """Write the journal anew with the records that are kept, whole or not at all.

        Raises:
            UserError: The file cannot be written.
        """
        lines = [{'made_from': self.made_from}, *self.records.values()]
        write_text(self.path, ''.join(json.dumps(line) + '\n' for line in lines))

    def add(self, record: dict[str, Any]) -> None:
        """Append the record of a finished image.

        Raises:
            UserError: The file cannot be written.
        """
        try:
            with self.path.open('a', encoding='utf-8') as stream:
                stream.write(json.dumps(record, allow_nan=False) + '\n')
        except OSError as error:
            reason = error.strerror or error
            raise UserError(f'{self.path} cannot be written ({reason}).') from error
        self.records[int(record['number'])] = record

    def finish(self, content: dict[str, Any]) -> None:
        """Write the manifest and remove the journal.

        Args:
            content: Entries beside `made_from` and `images`.

        Raises:
            UserError: The manifest cannot be written.
        """
        images = [self.records[number] for number in sorted(self.records)]
        manifest = {'made_from': self.made_from, **content, 'images': images}
        write_manifest(self.out / MANIFEST, manifest)
        self.path.unlink(missing_ok=True)


def _lines(path: Path) -> list[dict[str, Any]]:
    """Return the whole lines of a journal; nothing where it is missing or has no heading."""
    if not path.is_file():
        return []
    lines = path.read_text('utf-8', errors='replace').splitlines()
    found = [record for record in map(_record, lines) if record]
    return found if found and 'made_from' in found[0] else []


def _record(line: str) -> dict[str, Any] | None:
    try:
        record = json.loads(line)
    except ValueError:
        return None
    return record if isinstance(record, dict) else None

"""Records of the pairs that a rendering run has finished: the journal while it runs, then the manifest."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from attentive_gan.errors import UserError
from attentive_gan.utils.journal import Journal
from attentive_gan.utils.manifest import MANIFEST, changed_files, read_manifest, write_manifest
from attentive_gan.utils.typed_values import build

from .clip_jobs import ClipJob
from .render_jobs import RenderJob

#: Name of the journal in a data set's folder; it is there while the data set is unfinished.
JOURNAL = '.unfinished.jsonl'


class RenderJournal:
    """Records of finished pairs by number: a `Journal`, which becomes the manifest at the end of a run.

    Args:
        out: Folder of the data set.
        made_from: All that the images depend on beside their clean images.
    """

    def __init__(self, out: Path, made_from: dict[str, Any]) -> None:
        self.out = out
        self.made_from = made_from
        self.records: dict[int, dict[str, Any]] = {}
        self._journal = Journal(out / JOURNAL)

    @property
    def unfinished(self) -> bool:
        """Whether a run was begun here and did not come to its end."""
        return self._journal.path.is_file()

    def read(self) -> dict[str, Any] | None:
        """Read the records of earlier runs.

        Returns:
            The `made_from` of their images; None where nothing is there.

        Raises:
            UserError: The manifest is broken.
        """
        manifest = read_manifest(self.out / MANIFEST) or {}
        header, rows = self._journal.read()
        made_from: dict[str, Any] | None = (header or manifest).get('made_from')
        try:
            if manifest.get('made_from') == made_from:
                rows = build(list[dict[str, Any]], manifest.get('images', []), 'images') + rows
            self.records = {build(int, row.get('number'), 'number'): row for row in rows}
            for row in rows:
                build(dict[str, str], row.get('sha256'), 'sha256')
        except ValueError as error:
            raise UserError(
                f'{self.out}: {MANIFEST} or {JOURNAL} is no record of rendered pairs ({error}); remove '
                'both and run again'
            ) from error
        return made_from

    def retain(self, jobs: Sequence[RenderJob | ClipJob]) -> None:
        """Keep only the records of jobs whose files are all there and whose photo is the same still."""
        self.records = {
            job.number: self.records[job.number]
            for job in jobs
            if job.number in self.records and self._is_valid(job)
        }

    def _is_valid(self, job: RenderJob | ClipJob) -> bool:
        record = self.records[job.number]
        return not changed_files(self.out, record['sha256']) and job.fits(record)

    def begin(self) -> None:
        """Write the journal anew with the records that are kept (errors: `Journal.begin`)."""
        self._journal.begin({'made_from': self.made_from}, self.records.values())

    def add(self, record: dict[str, Any]) -> None:
        """Append the record of a finished pair (errors: `Journal.append`)."""
        self._journal.append(record)
        self.records[int(record['number'])] = record

    def finalize(self, content: dict[str, Any]) -> None:
        """Write the manifest and remove the journal.

        Args:
            content: Entries beside `made_from` and `images`.

        Raises:
            UserError: The manifest cannot be written.
        """
        images = [self.records[number] for number in sorted(self.records)]
        manifest = {'made_from': self.made_from, **content, 'images': images}
        write_manifest(self.out / MANIFEST, manifest)
        self._journal.path.unlink(missing_ok=True)

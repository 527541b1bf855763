"""Logged scalars that stay on their device until they are read.

Reading a tensor synchronises host and device. MMEngine does so for every logged value in every
iteration; here all values since the last log line are read at once.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from mmengine.logging import HistoryBuffer, MessageHub
from torch import Tensor

#: Largest number of iterations whose values are stored; bounds their memory.
MAX_PENDING = 1000


class ScalarRows:
    """Rows of scalars, one per iteration, read all at once.

    Examples:
        >>> rows = ScalarRows()
        >>> rows.add(1, {'loss': torch.tensor(0.5)})
        >>> rows.add(2, {'loss': torch.tensor(0.25)})
        >>> rows.read()
        [(1, {'loss': 0.5}), (2, {'loss': 0.25})]
    """

    def __init__(self) -> None:
        # Tag, and by device the names of values and their stack.
        self._rows: list[tuple[Any, dict[torch.device, tuple[list[str], Tensor]]]] = []

    def __len__(self) -> int:
        """Return the number of unread rows."""
        return len(self._rows)

    def add(self, tag: Any, values: Mapping[str, Any]) -> None:
        """Add a row without reading its tensors.

        Args:
            tag: Returned with the row.
            values: Numbers and tensors of one element, on any device, by name.
        """
        by_device: dict[torch.device, dict[str, Tensor]] = {}
        for name, value in values.items():
            is_tensor = isinstance(value, Tensor)
            tensor = value.detach() if is_tensor else torch.tensor(value, dtype=torch.float64)
            by_device.setdefault(tensor.device, {})[name] = tensor.reshape(())
        # A stacked copy: the tensors themselves may be overwritten (CUDA graphs).
        stacks = {k: (list(v), torch.stack(list(v.values()))) for k, v in by_device.items()}
        self._rows.append((tag, stacks))

    def read(self) -> list[tuple[Any, dict[str, float]]]:
        """Return and clear all rows as (tag, values by name), oldest first.

        Synchronises once per device.
        """
        rows, self._rows = self._rows, []
        values = {
            device: iter(torch.cat([row[device][1] for _, row in rows if device in row]).tolist())
            for device in {device for _, row in rows for device in row}
        }
        return [
            (tag, {name: float(next(values[device])) for device in row for name in row[device][0]})
            for tag, row in rows
        ]


class DeferredHistory(HistoryBuffer):
    """MMEngine's `HistoryBuffer` of a scalar; accessing it reads all pending scalars.

    Args:
        scalars: The deferred scalars that it belongs to.
        values: Values so far.
        counts: Their counts.
    """

    _values: np.ndarray
    _counts: np.ndarray

    def __init__(self, scalars: DeferredScalars, values: Any = (), counts: Any = ()) -> None:
        self._scalars = scalars
        self._new: list[float] = []
        super().__init__(values, counts)

    def append(self, value: float) -> None:
        """Append a value that was read."""
        self._new.append(value)

    def _settle(self) -> None:
        """Append all pending values."""
        self._scalars.read()
        if self._new:
            new, self._new = self._new, []
            self._values = np.concatenate([self._values, new])[-self.max_length :]
            self._counts = np.concatenate([self._counts, np.ones(len(new))])[-self.max_length :]

    # All of HistoryBuffer's methods use these two.
    @property
    def _log_history(self) -> np.ndarray:
        self._settle()
        return self._values

    @_log_history.setter
    def _log_history(self, values: np.ndarray) -> None:
        self._values = values

    @property
    def _count_history(self) -> np.ndarray:
        self._settle()
        return self._counts

    @_count_history.setter
    def _count_history(self, counts: np.ndarray) -> None:
        self._counts = counts

    def __deepcopy__(self, memo: dict[int, Any]) -> HistoryBuffer:
        """Return a plain `HistoryBuffer`, as checkpoints store it."""
        values, counts = self.data
        return HistoryBuffer(values.copy(), counts.copy(), self.max_length)


class DeferredScalars:
    """Logs tensors into a message hub without reading them.

    Histories in the hub have the same values as after `MessageHub.update_scalar`; tensors are read when
    a history is accessed, for example by the logger or a checkpoint.

    Args:
        hub: Message hub of the runner.
    """

    def __init__(self, hub: MessageHub) -> None:
        self._hub = hub
        self._rows = ScalarRows()

    def update(self, values: Mapping[str, Any]) -> None:
        """Log values of an iteration.

        Args:
            values: Numbers and tensors of one element by name, such as `train/loss`.
        """
        for name in values:
            self._history(name)
        self._rows.add(None, values)
        if len(self._rows) >= MAX_PENDING:
            self.read()

    def read(self) -> None:
        """Read all pending values and append them to their histories."""
        if len(self._rows):
            for _, values in self._rows.read():
                for name, value in values.items():
                    self._history(name).append(value)

    def _history(self, name: str) -> DeferredHistory:
        """Return the history of a scalar; converts the plain one of a resumed training."""
        histories = self._hub.log_scalars
        history = histories.get(name)
        if not isinstance(history, DeferredHistory) or history._scalars is not self:
            values, counts = history.data if history is not None else ((), ())
            history = DeferredHistory(self, values, counts)
            histories[name] = history
            self._hub._set_resumed_keys(name, True)
        return history


def deferred_scalars(hub: MessageHub) -> DeferredScalars:
    """Return the deferred scalars of a message hub, one per hub.

    Args:
        hub: Message hub of the runner.
    """
    scalars = getattr(hub, '_deferred_scalars', None)
    if scalars is None:
        scalars = DeferredScalars(hub)
        hub._deferred_scalars = scalars
    return scalars

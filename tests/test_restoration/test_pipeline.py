"""Threads that read and write keep order and limit, and an error ends its own item only."""

from __future__ import annotations

import random
import threading
import time
from collections import Counter
from types import SimpleNamespace

import pytest
import torch
from attentive_gan.restoration import pipeline as pipelines
from attentive_gan.restoration.pipeline import Grouping, Pipeline, file_threads


class Stages:
    """Reads k as 10 k, computes 10 k + 1, and counts what is on its way."""

    def __init__(self, bad: dict[int, str] | None = None, seed: int = 0) -> None:
        self.bad, self.random = bad or {}, random.Random(seed)
        self.lock = threading.Lock()
        self.open: set[int] = set()
        self.most = 0
        self.written: dict[int, int] = {}
        self.threads: dict[str, set[int]] = {'read': set(), 'write': set()}

    def _step(self, item: int, stage: str) -> None:
        if stage in self.threads:
            self.threads[stage].add(threading.get_ident())
        time.sleep(self.random.random() * 0.003)
        if self.bad.get(item) == stage:
            raise ValueError(f'{stage} {item}')

    def read(self, item: int) -> int:
        with self.lock:
            self.open.add(item)
            self.most = max(self.most, len(self.open))
        self._step(item, 'read')
        return 10 * item

    def compute(self, item: int, read: int) -> int:
        self._step(item, 'compute')
        return read + 1

    def write(self, item: int, done: int) -> None:
        self._step(item, 'write')
        self.written[item] = done

    def closed(self, item: int) -> None:
        with self.lock:
            self.open.discard(item)


def run(stages: Stages, items: int = 40, **options: object) -> list[tuple[int, str]]:
    pipeline = Pipeline(
        lambda item: 1, stages.read, stages.compute, stages.write, **{'limit': 12, **options}
    )
    ended = []
    for item, error in pipeline.run(range(items)):
        stages.closed(item)
        ended.append((item, str(error) if error else ''))
    return ended


@pytest.mark.parametrize('threads', [1, 4])
def test_results_are_told_in_order_and_errors_with_their_item(threads: int) -> None:
    bad = {3: 'read', 4: 'compute', 17: 'write', 39: 'read'}
    stages = Stages(bad)
    ended = run(stages, threads=threads)
    assert ended == [(k, f'{bad[k]} {k}' if k in bad else '') for k in range(40)]
    assert stages.written == {k: 10 * k + 1 for k in range(40) if k not in bad}
    assert all(len(used) <= threads for used in stages.threads.values())


@pytest.mark.parametrize('threads', [1, 8])
def test_what_is_on_its_way_stays_below_the_limit(threads: int) -> None:
    stages = Stages()
    run(stages, threads=threads, limit=5)
    assert 1 < stages.most <= 5


def test_one_thread_reads_and_writes_in_order() -> None:
    """As the frames of a video need it."""
    stages, order = Stages(), []
    stages.write = lambda item, done: order.append(item)  # type: ignore[method-assign]
    run(stages)
    assert order == list(range(40))


@pytest.mark.parametrize('threads', [1, 3])
def test_few_results_wait_to_be_written(threads: int) -> None:
    stages, computed = Stages(), []
    go_on = threading.Event()
    stages.compute = lambda item, read: computed.append(item) or read  # type: ignore[method-assign]
    stages.write = lambda item, done: go_on.wait(10)  # type: ignore[method-assign]
    threading.Timer(0.3, go_on.set).start()
    pipeline = Pipeline(lambda item: 1, stages.read, stages.compute, stages.write, threads=threads)
    steps = pipeline.run(range(100))
    next(steps)
    assert len(computed) <= 3 * threads + 2
    assert len(list(steps)) == 99


def grouping(stages: Stages, groups: list[list[int]], bad: int | None = None) -> Grouping:
    def compute(items: list[int], reads: list[int]) -> list[int]:
        groups.append(list(items))
        if bad in items:
            raise ValueError('all of them')
        return [read + 1 for read in reads]

    return Grouping(lambda read: read >= 200, lambda read: 4, compute, 8)


def test_what_is_read_goes_together_with_its_like() -> None:
    stages, groups = Stages(), []
    stages.compute = lambda item, read: time.sleep(0.01) or read + 1  # type: ignore[method-assign]
    ended = run(stages, threads=2, grouping=grouping(stages, groups))
    assert ended == [(k, '') for k in range(40)]
    assert stages.written == {k: 10 * k + 1 for k in range(40)}
    assert groups
    for group in groups:
        assert 2 <= len(group) <= 4
        assert group == list(range(group[0], group[-1] + 1))
        assert len({item >= 20 for item in group}) == 1


def test_a_bad_item_does_not_harm_those_beside_it() -> None:
    stages, groups = Stages({9: 'compute'}), []
    ended = run(stages, grouping=grouping(stages, groups, bad=9))
    assert Counter(error for _, error in ended) == {'': 39, 'compute 9': 1}
    assert len(stages.written) == 39


def test_a_loop_that_is_left_finishes_what_is_being_written() -> None:
    stages = Stages()
    pipeline = Pipeline(lambda item: 1, stages.read, stages.compute, stages.write, threads=3)
    steps = pipeline.run(range(1000))
    for item, _ in steps:
        if item == 5:
            break
    steps.close()
    count = len(stages.written)
    assert 6 <= count < 1000
    time.sleep(0.05)
    assert len(stages.written) == count


@pytest.mark.parametrize(
    ('device', 'cores', 'expected'),
    [('cpu', 2, 1), ('cpu', 16, 4), ('cuda', 16, 8), ('cuda', 1, 1)],
)
def test_threads_by_cores(
    device: str, cores: int, expected: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake = SimpleNamespace(cpu_count=lambda: cores)
    monkeypatch.setattr(pipelines, 'os', fake)
    assert file_threads(torch.device(device)) == expected

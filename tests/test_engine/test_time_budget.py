"""Time and progress with a clock that the test turns."""

from __future__ import annotations

import pytest
from attentive_gan.engine.runner.time_budget import TimeBudget, crosses


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def started(seconds: float) -> tuple[TimeBudget, Clock]:
    clock = Clock()
    budget = TimeBudget(seconds, clock)
    budget.start()
    return budget, clock


def train(budget: TimeBudget, clock: Clock, each: float, together: bool = False) -> list[float]:
    """Run iterations of equal length to the end; return the progress of each."""
    progress = []
    while True:
        plan = budget.plan(together)
        for index in range(plan.count):
            progress.append(plan.progress + index * plan.step)
            clock.now += each
            budget.iteration_done()
        if plan.last:
            return progress


def test_nothing_passes_before_the_start():
    clock = Clock()
    budget = TimeBudget(10, clock)
    clock.now += 50
    assert (budget.elapsed, budget.progress) == (0, 0)


def test_progress_follows_the_time():
    budget, clock = started(10)
    clock.now += 2.5
    assert (budget.elapsed, budget.progress) == (2.5, 0.25)
    clock.now += 25
    assert budget.progress == 1


def test_progress_stands_still_while_held_and_catches_up():
    budget, clock = started(10)
    clock.now += 2
    with budget.pause():
        clock.now += 4
        assert budget.progress == pytest.approx(0.2)
    assert budget.progress == pytest.approx(0.2)
    clock.now += 2  # half of what is left
    assert budget.progress == pytest.approx(0.6)
    clock.now += 2
    assert budget.progress == pytest.approx(1.0)


def test_reserved_seconds_are_kept_free():
    budget, clock = started(10)
    budget.reserve = 2
    clock.now += 4
    assert budget.progress == 0.5


@pytest.mark.parametrize('together', [False, True])
@pytest.mark.parametrize('each', [0.01, 0.3, 3.0, 40.0])
def test_training_ends_nearest_to_its_time(each, together):
    budget, clock = started(60)
    progress = train(budget, clock, each, together)
    assert abs(clock.now - 160) <= each / 2 + 1e-6 or len(progress) <= 2
    assert progress == sorted(progress)
    assert 0 <= progress[0] <= progress[-1] <= 1
    if each < 1:
        assert progress[-1] > 0.98


def test_one_slow_iteration_does_not_end_the_training_early():
    budget, clock = started(60)
    for index in range(300):
        plan = budget.plan()
        assert not plan.last
        clock.now += 5.0 if index == 290 else 0.1
        budget.iteration_done()
    assert budget.iteration_seconds == pytest.approx(0.1)
    assert budget.iterations_left() == pytest.approx(251, abs=1)


def test_several_processes_plan_about_a_second():
    budget, clock = started(60)
    budget.plan(together=True)
    clock.now += 0.1
    budget.iteration_done()
    plan = budget.plan(together=True)
    assert (plan.count, plan.last) == (10, False)
    assert plan.step == pytest.approx(0.1 / 60)


def test_time_goes_on_from_a_checkpoint():
    budget, clock = started(10)
    with budget.pause():
        clock.now += 1
    clock.now += 3
    saved = budget.state_dict()
    clock.now += 1000
    resumed = TimeBudget(10, clock)
    resumed.load_state_dict(saved)
    assert resumed.elapsed == 4
    assert resumed.progress == pytest.approx(1 / 3)
    resumed.start()
    clock.now += 3
    assert resumed.progress == pytest.approx(2 / 3)
    longer = TimeBudget(20, clock)
    longer.load_state_dict(saved, scale=10 / 20)
    assert longer.progress == pytest.approx(1 / 6)


def test_multiples_that_are_passed():
    assert [crosses(a, b, 0.25) for a, b in ((0, 0.2), (0.2, 0.26), (0.24, 0.8), (0.5, 0.7))] == [
        False, True, True, False,
    ]  # fmt: skip
    assert not crosses(0.0, 1.0, None)

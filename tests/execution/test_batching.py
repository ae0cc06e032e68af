"""Batches for a device: what goes into one, what happens when the memory is too small, and the order of the jobs."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from softdice_cli.execution.batching import Batcher, Device, Job


class Squares(Device[int, int]):
    """Squares numbers; numbers of one sign fit together, and only so many at once."""

    def __init__(self, likes: int = 4, holds: int = 100) -> None:
        self.likes, self.holds = likes, holds
        self.batches: list[list[int]] = []
        self.waiting = 0
        self.most_waiting = 0

    def fit_together(self, one: int, other: int) -> bool:
        return (one < 0) == (other < 0)

    def batch_size(self, part: int) -> int:
        return self.likes

    def submit(self, parts: list[int]) -> Callable[[], list[int]]:
        if len(parts) > self.holds:
            raise MemoryError
        self.batches.append(parts)
        self.waiting += 1
        self.most_waiting = max(self.most_waiting, self.waiting)

        def answers() -> list[int]:
            self.waiting -= 1
            return [part * part for part in parts]

        return answers


class Numbers(Job[int, int, list[int]]):
    """A job of some numbers; its result is their squares, and −1 for what was refused."""

    def __init__(self, *numbers: int) -> None:
        self.numbers = numbers
        self.answers: dict[int, int] = {}

    def parts(self) -> Iterator[int]:
        yield from self.numbers

    def take(self, part: int, answer: int) -> None:
        self.answers[part] = answer

    def refuse(self, part: int) -> None:
        self.answers[part] = -1

    def result(self) -> list[int]:
        return [self.answers[number] for number in self.numbers]


def squares(*jobs: tuple[int, ...]) -> list[list[int]]:
    return [[number * number for number in job] for job in jobs]


@pytest.mark.parametrize(
    ("jobs", "batches"),
    [
        # batches go over the ends of jobs, and the last one may be smaller
        ([(1, 2, 3), (4, 5), (6,)], [[1, 2, 3, 4], [5, 6]]),
        # what does not fit together starts another batch
        ([(1, -2), (-3, 4)], [[1], [-2, -3], [4]]),
        # jobs without parts, in front, between and behind
        ([(), (1,), (), (2,), ()], [[1, 2]]),
        ([()], []),
        ([], []),
    ],
)
def test_what_goes_into_a_batch(jobs, batches):
    device = Squares()
    assert list(Batcher(device).run(Numbers(*job) for job in jobs)) == squares(*jobs)
    assert device.batches == batches


@pytest.mark.parametrize(
    ("holds", "batches"),
    [
        # 8 do not fit and halves do; from then on no batch is larger
        (4, [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9, 10, 11], [12, 13, 14, 15]]),
        # halves of halves
        (3, [[0, 1], [2, 3], [4, 5], [6, 7], [8, 9], [10, 11], [12, 13], [14, 15]]),
        # all of them fit
        (8, [[0, 1, 2, 3, 4, 5, 6, 7], [8, 9, 10, 11, 12, 13, 14, 15]]),
    ],
)
def test_a_batch_that_does_not_fit_is_halved(holds, batches):
    device = Squares(likes=8, holds=holds)
    jobs = [(place, place + 1) for place in range(0, 16, 2)]
    assert list(Batcher(device).run(Numbers(*job) for job in jobs)) == squares(*jobs)
    assert device.batches == batches


def test_an_odd_batch_is_halved_as_evenly_as_can_be():
    device = Squares(likes=7, holds=4)
    assert list(Batcher(device).run([Numbers(*range(7))])) == squares(tuple(range(7)))
    assert device.batches == [[0, 1, 2], [3, 4, 5, 6]]


def test_what_does_not_fit_alone_is_refused_and_the_rest_goes_on():
    class Picky(Squares):
        def submit(self, parts: list[int]) -> Callable[[], list[int]]:
            if 3 in parts:
                raise MemoryError
            return super().submit(parts)

    jobs = [Numbers(1, 2), Numbers(3), Numbers(4)]
    assert list(Batcher(Picky()).run(jobs)) == [[1, 4], [-1], [16]]


def test_two_batches_are_on_the_device_and_never_more():
    device = Squares(likes=2)
    assert len(list(Batcher(device).run(Numbers(place) for place in range(20)))) == 20
    assert device.most_waiting == 2


def test_a_result_is_handed_out_as_soon_as_its_job_is_done():
    drawn = 0

    def jobs() -> Iterator[Numbers]:
        nonlocal drawn
        for drawn in range(1, 101):
            yield Numbers(drawn)

    results = Batcher(Squares(likes=2)).run(jobs())
    assert next(results) == [1]
    assert drawn <= 4

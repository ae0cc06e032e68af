"""Batches for a device that works while the program goes on: nobody waits, and the order of the jobs stays.

A batch is handed to the device before the answers of the batch before it are asked for, so that
reading, copying and computing overlap. Where the memory of the device is too small for a batch, its
halves are tried.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Generic, TypeVar

Part = TypeVar("Part")
Answer = TypeVar("Answer")
Result = TypeVar("Result")


class Device(ABC, Generic[Part, Answer]):
    """Answers batches of parts."""

    @abstractmethod
    def fit_together(self, one: Part, other: Part) -> bool:
        """Whether two parts can be in one batch."""

    @abstractmethod
    def batch_size(self, part: Part) -> int:
        """How many such parts the device likes to be given at once."""

    @abstractmethod
    def submit(self, parts: list[Part]) -> Callable[[], list[Answer]]:
        """Start a batch; the function that is returned waits for the answers, one for each part.

        Raises:
            MemoryError: there is too little memory for so many parts; fewer may fit.
        """


class Job(ABC, Generic[Part, Answer, Result]):
    """An item that is cut into parts, which are answered one by one."""

    @abstractmethod
    def parts(self) -> Iterator[Part]:
        """The parts; asked for once."""

    @abstractmethod
    def take(self, part: Part, answer: Answer) -> None:
        """Keep the answer of a part."""

    @abstractmethod
    def refuse(self, part: Part) -> None:
        """Know that the device has too little memory for this part alone."""

    @abstractmethod
    def result(self) -> Result:
        """The result, once every part was answered or refused."""


@dataclass
class _Open(Generic[Part, Answer, Result]):
    """A job, and how many of its parts are not answered yet."""

    job: Job[Part, Answer, Result]
    waiting: int = 0


@dataclass
class _Entry(Generic[Part, Answer, Result]):
    """A part, and the job that it belongs to."""

    part: Part
    owner: _Open[Part, Answer, Result]


class Batcher(Generic[Part, Answer, Result]):
    """Feeds a device with batches, and yields the results of jobs in the order in which the jobs came.

    Args:
        device: answers the batches.
    """

    def __init__(self, device: Device[Part, Answer]) -> None:
        self._device = device
        self._largest: int | None = None
        self._batch: list[_Entry[Part, Answer, Result]] = []
        self._submitted: deque[tuple[list[_Entry[Part, Answer, Result]], Callable[[], list[Answer]]]] = deque()

    def run(self, jobs: Iterable[Job[Part, Answer, Result]]) -> Iterator[Result]:
        """The result of each job, in order."""
        unfinished: deque[_Open[Part, Answer, Result]] = deque()
        for job in jobs:
            current = _Open(job)
            unfinished.append(current)
            for part in job.parts():
                current.waiting += 1
                self._add(_Entry(part, current))
            while unfinished and not unfinished[0].waiting:
                yield unfinished.popleft().job.result()
        self._flush()
        self._collect_down_to(0)
        for last in unfinished:
            yield last.job.result()

    def _add(self, entry: _Entry[Part, Answer, Result]) -> None:
        if self._batch and not self._device.fit_together(self._batch[0].part, entry.part):
            self._flush()
        self._batch.append(entry)
        if len(self._batch) >= self._size(entry.part):
            self._flush()

    def _size(self, part: Part) -> int:
        """How many such parts make a batch: never more than fitted after the memory was once too small."""
        size = self._device.batch_size(part)
        return size if self._largest is None else min(size, self._largest)

    def _flush(self) -> None:
        """Hand over the batch, and collect all answers but those of this batch."""
        if not self._batch:
            return
        batch, self._batch = self._batch, []
        self._submit(batch)
        self._collect_down_to(1)

    def _submit(self, entries: list[_Entry[Part, Answer, Result]]) -> None:
        """Hand over a batch, or its halves where the memory is too small for it."""
        if self._submitted_whole(entries):
            return
        # Batches that are done free their memory.
        self._collect_down_to(0)
        if len(entries) == 1:
            entries[0].owner.job.refuse(entries[0].part)
            entries[0].owner.waiting -= 1
            return
        middle = len(entries) // 2
        self._largest = middle
        self._submit(entries[:middle])
        self._submit(entries[middle:])

    def _submitted_whole(self, entries: list[_Entry[Part, Answer, Result]]) -> bool:
        # A function of its own: its return lets go of whatever the failed attempt has allocated.
        try:
            self._submitted.append((entries, self._device.submit([entry.part for entry in entries])))
        except MemoryError:
            return False
        return True

    def _collect_down_to(self, count: int) -> None:
        """Take the answers of the oldest batches, until so many batches are left on the device."""
        while len(self._submitted) > count:
            entries, answers = self._submitted.popleft()
            for entry, answer in zip(entries, answers(), strict=True):
                entry.owner.job.take(entry.part, answer)
                entry.owner.waiting -= 1

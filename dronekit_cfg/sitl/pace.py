"""How much of its time this program waits for a processor that others have: a measure of a busy computer.

A simulator reckons with a computer of its own. On a busy one its tasks run late: filters see old samples, a stick
message comes after its time-out, and a flight fails although the settings are right. We run beside it, so what we wait
it waits too. Linux counts the nanoseconds that each thread was ready to run and did not, the second number of
/proc/PID/task/TID/schedstat [Linux Documentation/scheduler/sched-stats.rst]; elsewhere nothing is told.
"""

from __future__ import annotations

from pathlib import Path

__all__ = ["Pace"]

_THREADS = Path("/proc/self/task")


class Pace:
    """Counts from its making on."""

    def __init__(self, threads: Path = _THREADS) -> None:
        """`threads` is the folder with a folder for each thread."""
        self._threads = threads
        self._before = self._times()

    def waited(self) -> float:
        """Give the time waited over the time waited or run, 0 to 1; 0 where the system does not tell."""
        ran = waited = 0
        for thread, (now_ran, now_waited) in self._times().items():
            then_ran, then_waited = self._before.get(thread, (0, 0))
            ran += now_ran - then_ran
            waited += now_waited - then_waited
        return waited / (ran + waited) if ran + waited > 0 else 0.0

    def _times(self) -> dict[str, tuple[int, int]]:
        """Nanoseconds that each thread ran and waited."""
        found: dict[str, tuple[int, int]] = {}
        try:
            for thread in self._threads.iterdir():
                ran, waited, _ = (thread / "schedstat").read_text("ascii").split()
                found[thread.name] = int(ran), int(waited)
        except (OSError, ValueError):
            return found
        return found

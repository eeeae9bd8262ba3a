"""Celery for as long as the tests last: tests that were killed leave no workers behind.

`python -m tests.faults.bounded PID ...` ends with all its children when process PID is gone.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
import time

from celery.__main__ import main


def _end_with(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(1)
    os.killpg(0, signal.SIGKILL)


if __name__ == "__main__":
    threading.Thread(target=_end_with, args=(int(sys.argv.pop(1)),), daemon=True).start()
    main()

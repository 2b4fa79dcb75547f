#===- workers.py - Run cases in processes that may die ---------------------===#
#
# Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
#===-----------------------------------------------------------------------===#
"""A worker process runs a list of cases one by one, and says on its output when
it starts one and how it ended. One kernel that writes where it must not leaves
the driver useless for the rest of the process, and one that hangs never comes
back: then that case has failed, and a new process goes on behind it.

A case is a dictionary for JSON. What becomes of it is a record, one more.
"""

import json
import pathlib
import subprocess
import sys
import tempfile
import threading
import time

# A worker that dies more often than this is not started again.
MOST_RESTARTS = 5


class FatalFailure(Exception):
    """Raised by a case after which its process is of no use."""


#===-----------------------------------------------------------------------===#
# In a worker
#===-----------------------------------------------------------------------===#


def serve(run_case):
    """Runs the cases on the standard input; `run_case(case)` gives records.

    A FatalFailure ends the process once it is written down.
    """
    # What libraries print must not come between.
    output, sys.stdout = sys.stdout, sys.stderr
    request = json.load(sys.stdin)

    def say(**line):
        print(json.dumps(line), file=output, flush=True)

    for index, case in enumerate(request["cases"]):
        if request["deadline"] and time.time() > request["deadline"]:
            return 0
        say(start=index)
        try:
            say(done=index, record=run_case(case))
        except FatalFailure as failure:
            say(done=index, record={"passed": False, "words": str(failure)})
            return 3
    return 0


#===-----------------------------------------------------------------------===#
# In the process that starts them
#===-----------------------------------------------------------------------===#


class Worker:
    """One process, and which of its cases it has answered."""

    def __init__(self, script, arguments, cases, deadline, silence, take):
        self.started = None  # The case that it is about.
        self.answered = set()
        self._cases, self._take_record = cases, take
        self._silence, self._silent = silence, False
        with tempfile.TemporaryFile("w+", errors="replace") as errors:
            self._process = subprocess.Popen(
                [sys.executable, str(script), *arguments], stdin=subprocess.PIPE,
                stdout=subprocess.PIPE, stderr=errors, text=True, errors="replace")
            try:
                self._listen({"cases": cases, "deadline": deadline})
            finally:
                self._process.kill()
                self._process.wait()
                self._process.stdout.close()
            errors.seek(0)
            self.errors = errors.read().strip().splitlines()
        self.status = self._process.returncode

    def _give_up(self):
        self._silent = True
        self._process.kill()

    def _listen(self, request):
        timer = self._start_timer()
        try:
            with self._process.stdin as requests:
                json.dump(request, requests)
        except BrokenPipeError:
            pass  # It died at once; its status tells.
        for line in self._process.stdout:
            timer.cancel()
            self._take(line)
            timer = self._start_timer()
        timer.cancel()
        self._process.wait()

    def _start_timer(self):
        timer = threading.Timer(self._silence, self._give_up)
        timer.daemon = True
        timer.start()
        return timer

    def _take(self, line):
        try:
            said = json.loads(line)
        except ValueError:
            return
        if not isinstance(said, dict):
            return
        if "start" in said:
            self.started = said["start"]
        else:
            self.answered.add(said["done"])
            self._take_record(self._cases[said["done"]], said["record"])

    def get_death(self):
        """Why it ended, in words."""
        if self._silent:
            return f"no answer for {self._silence:.0f} s"
        tail = "; ".join(self.errors[-2:])
        return f"the process ended with status {self.status}" + (f": {tail}" if tail else "")


def run_cases(script, arguments, cases, deadline, silence, take):
    """Runs all cases; calls `take(case, record)` for each when it is over.

    Cases that the deadline leaves out get no record.
    """
    pending = list(cases)
    for _ in range(MOST_RESTARTS + 1):
        if not pending or deadline and time.time() > deadline:
            return
        worker = Worker(script, arguments, pending, deadline, silence, take)
        if worker.status == 0:
            return
        last = worker.started
        if last is None:
            break
        if last not in worker.answered:
            take(pending[last], {"passed": False, "words": worker.get_death()})
        pending = pending[last + 1:]
    for case in pending:
        take(case, {"passed": False, "words": f"not run: {worker.get_death()}"})


def get_script(name):
    return pathlib.Path(__file__).with_name(name)

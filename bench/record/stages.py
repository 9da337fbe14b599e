# SPDX-License-Identifier: Apache-2.0
"""Stages of a record: commands with a limit of time each, that share what is left of a budget."""
import collections
import os
import signal
import subprocess
import time

MOST_OUTPUT = 16 << 20
SPARE = 5  # seconds for what must be killed, and to write the record

Outcome = collections.namedtuple('Outcome', 'name words limit seconds code out err')


class Stages:
    def __init__(self, budget, plan, folder, environment):
        """plan: {name: seconds of ten minutes}, in order."""
        self.end = time.monotonic() + budget
        self.plan = dict(plan)
        self.folder, self.environment = folder, environment
        self.done = []
        self.missing = []  # sentences

    def left(self):
        return self.end - time.monotonic() - SPARE

    def limit(self, name):
        """What a stage may take: as in ten minutes while that leaves most of the time to those
        behind it, at least its share of what is left."""
        names = list(self.plan)
        rest = sum(self.plan[n] for n in names[names.index(name):])
        left = max(0.0, self.left())
        return max(left * self.plan[name] / rest if rest else 0, min(self.plan[name], 0.4 * left))

    def skip(self, name, why):
        """A stage that is not run; its time is for the others."""
        self.plan[name] = 0
        self.missing.append(f'{name}: {why}')

    def run(self, name, words, times=1, what=''):
        """Runs a command, the first of `times` that share a stage; its Outcome, or None where it
        did not end well, which is said."""
        limit = self.limit(name) / times
        said = f'{name}, {what}' if what else name
        if times == 1:
            self.plan[name] = 0
        if limit < 0.5:
            self.missing.append(f'{said}: no time was left')
            return None
        begin = time.monotonic()
        code = self.call(words, limit)
        outcome = Outcome(said, words, limit, time.monotonic() - begin, code, self.read('out'),
                          self.read('err'))
        self.done.append(outcome)
        if code != 0:
            self.missing.append(f'{said}: {end_of(outcome)}')
            return None
        return outcome

    def call(self, words, limit):
        """The exit code, -N of signal N, or None where it was cut. Output goes to files: a child
        that stays behind, or that no signal ends, must not hold us."""
        with open(self.folder + '/out', 'wb') as out, open(self.folder + '/err', 'wb') as err:
            try:
                process = subprocess.Popen(
                    words, stdin=subprocess.DEVNULL, stdout=out, stderr=err, cwd=self.folder,
                    env=self.environment, start_new_session=True)
            except OSError as error:
                err.write(str(error).encode())
                return 127
        try:
            return process.wait(limit)
        except subprocess.TimeoutExpired:
            return None
        finally:
            for number, seconds in ((signal.SIGTERM, 2), (signal.SIGKILL, 2)):
                end_group(process, number, seconds)

    def read(self, name):
        with open(f'{self.folder}/{name}', 'rb') as file:
            return file.read(MOST_OUTPUT).decode(errors='replace')


def end_group(process, number, seconds):
    try:
        os.killpg(process.pid, number)
        process.wait(seconds)
    except (ProcessLookupError, subprocess.TimeoutExpired):
        pass


def end_of(outcome):
    """How a command ended, and its last words."""
    words = outcome.err.strip().splitlines()
    last = ': ' + words[-1][:300] if words else ''
    if outcome.code is None:
        return f'cut after {outcome.seconds:.0f} s{last}'
    if outcome.code < 0:
        return f'ended by signal {-outcome.code}{last}'
    return f'ended with {outcome.code}{last}'

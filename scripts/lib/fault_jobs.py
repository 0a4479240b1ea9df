"""Jobs whose workers scripts/fault-lab makes fail: processes of one launcher on this machine, or each on a host of its
own, which is a network namespace with a shaped link."""
import itertools
import os
import signal
import subprocess
import time
from types import MappingProxyType

from run_checker import generations_of, lines_of
from support import STEPS, TOKEN, Hosts

BATCH = 16
JOB = ["--data", "synthetic:4000,1,16,16,4", "--data-mode", "sharded", "--depths", "1,1,9,1", "--width", "8", "--batch-size", str(BATCH),
       "--local-iterations", "10", "--threads", "1", "--precision", "fp32", "--checkpoint-every", "20",
       "--eval-every", "10", "--tensorboard=false", "--rounds", "100000000"]
PAUSE = 0.5  # seconds; far less than the least silence that is taken for a loss
SLOW = 8.0   # seconds; longer than that silence
DEADLINE = 120
PORT = 29500


class Job:
    """A job that trains in FOLDER/run. Faults that it knows are its methods of that name; each returns when the fault
    has had its effect, and adds to `wrong` what should not have been."""
    faults = ()

    def __init__(self, program, workers, folder):
        self.program = program
        self.workers = workers
        self.folder = folder / "run"
        self.logs = folder / "logs"
        self.logs.mkdir()
        self.journals = []
        self.processes = []
        self.numbers = itertools.count()
        self.wrong = []

    def popen(self, command, environment=MappingProxyType({})):
        """A process that writes a log and a journal."""
        with open(self.logs / f"{next(self.numbers):04}", "w", encoding="utf-8") as log:
            process = subprocess.Popen([str(word) for word in command], stdout=subprocess.DEVNULL, stderr=log,
                                       env={**os.environ, "RESIST_JOURNAL": str(self.journals[-1]), "RESIST_TOKEN": TOKEN,
                                            **environment})
        self.processes.append(process)
        return process

    def clean_up(self):
        for process in self.processes:
            process.kill()
            process.wait()

    def new_journal(self):
        self.journals.append(self.folder.parent / f"journal-{len(self.journals)}")
        self.journals[-1].mkdir()

    def metrics(self):
        return lines_of(self.folder / "metrics.jsonl")

    def history(self):
        return generations_of(lines_of(self.folder / "history.jsonl"))

    def losses(self):
        return sum(1 for generation in self.history() if generation["lost"])

    def is_complete(self):
        """As many members as the job began with."""
        history = self.history()
        return not history or len(history[-1]["members"]) == self.workers

    def wait(self, condition, what):
        end = time.monotonic() + DEADLINE
        while not condition():
            if not self.goes_on() or time.monotonic() > end:
                raise SystemExit(f"{what} did not come about:\n{self.said()}")
            time.sleep(0.02)

    def wait_for_rounds(self, rounds):
        self.wait(lambda: len(self.metrics()) >= rounds, f"round {rounds}")

    def wait_for_loss(self, losses):
        self.wait(lambda: self.losses() > losses or not self.is_complete(), "the loss")

    def said(self):
        return "".join(f"{path.name}: {line}\n" for path in sorted(self.logs.iterdir())
                       for line in path.read_text(errors="replace").splitlines())


class LocalJob(Job):
    """The launcher replaces workers that are lost."""
    faults = ("kill", "pause", "stop")

    def __init__(self, program, workers, folder):
        super().__init__(program, workers, folder)
        self.new_journal()
        self.process = self.popen([program, "train", *JOB, "--workers", workers, "--restarts", 1000000, "--run-dir",
                                   self.folder])

    def goes_on(self):
        return self.process.poll() is None

    def victims(self):
        path = f"/proc/{self.process.pid}/task/{self.process.pid}/children"
        with open(path, encoding="utf-8") as children:
            return [int(pid) for pid in children.read().split()]

    def strike(self, pid, number):
        try:
            os.kill(pid, number)
        except ProcessLookupError:
            return False
        return True

    def kill(self, pid, number=signal.SIGKILL):
        losses = self.losses()
        if self.strike(pid, number):
            self.wait_for_loss(losses)

    def stop(self, pid):
        self.kill(pid, signal.SIGSTOP)

    def pause(self, pid):
        if self.strike(pid, signal.SIGSTOP):
            time.sleep(PAUSE)
            self.strike(pid, signal.SIGCONT)

    def end(self):
        """Exit codes of a job that is told to stop; None for a process that does not end."""
        self.process.send_signal(signal.SIGTERM)
        return [end_of(self.process)]


class HostsJob(Job):
    """Worker i runs on host i, the rendezvous on a host of its own. Lost workers are replaced by others that join from
    the same host."""
    faults = ("kill", "pause", "stop", "cut", "blink", "slow", "step", "rendezvous")

    def __init__(self, program, workers, folder, rate):
        super().__init__(program, workers, folder)
        self.hosts = Hosts(workers + 1, rate)
        self.hosts.__enter__()
        self.rate = rate
        self.joined = 0  # since the job was started
        self.steps = itertools.cycle(STEPS)
        self.begin(["--run-dir", self.folder])

    def begin(self, options):
        self.new_journal()
        self.joined = 0
        self.coordinator = self.popen(self.hosts.on(self.workers, [self.program, "rendezvous", "--port", PORT]))
        self.where = f"{self.hosts.address(self.workers)}:{PORT}"
        self.running = [self.popen(self.hosts.on(host, [self.program, "train", *JOB, "--rendezvous", self.where,
                                                        "--timeout", 30, *options]),
                                   {"RANK": str(host), "WORLD_SIZE": str(self.workers)})
                        for host in range(self.workers)]

    def goes_on(self):
        return all(process.poll() is None for process in self.running)

    def victims(self):
        return list(range(self.workers))

    def replace(self, host, environment=MappingProxyType({})):
        self.running[host] = self.popen(self.hosts.on(host, [self.program, "train", "--join", self.where, "--threads", 1,
                                                             "--precision", "fp32", "--timeout", 30]), environment)
        self.joined += 1
        self.wait(self.is_complete, f"the joining of worker {self.workers + self.joined - 1}")

    def lose(self, host, number):
        """The process is struck; returns when the others have gone on."""
        losses = self.losses()
        victim = self.running[host]
        victim.send_signal(number)
        others = [process for process in self.running if process is not victim]
        self.running = others  # so that goes_on() asks for the others
        self.wait_for_loss(losses)
        self.running.insert(host, victim)
        victim.kill()
        victim.wait()

    def kill(self, host):
        self.lose(host, signal.SIGKILL)
        self.replace(host)

    def stop(self, host):
        self.lose(host, signal.SIGSTOP)
        self.replace(host)

    def harmless(self, what, act):
        """Something that must not look like a death."""
        before = len(self.history())
        act()
        self.wait_for_rounds(len(self.metrics()) + 3)
        if len(self.history()) != before:
            self.wrong.append(f"{what} was taken for a loss")

    def pause(self, host):
        def act():
            self.running[host].send_signal(signal.SIGSTOP)
            time.sleep(PAUSE)
            self.running[host].send_signal(signal.SIGCONT)
        self.harmless("a pause", act)

    def blink(self, host):
        def act():
            self.hosts.cut(host)
            time.sleep(PAUSE)
            self.hosts.heal(host)
        self.harmless("a link that was down for a moment", act)

    def slow(self, host):
        def act():
            self.hosts.slow(host, "10mbit")
            time.sleep(SLOW)
            self.hosts.slow(host, self.rate)
        self.harmless("a slow link", act)

    def cut(self, host):
        """Who is cut off is left out, ends by itself when the link is back, and another worker joins."""
        losses = self.losses()
        victim = self.running.pop(host)
        self.hosts.cut(host)
        self.wait_for_loss(losses)
        self.hosts.heal(host)
        code = end_of(victim)
        self.running.insert(host, victim)
        if code != 1:
            self.wrong.append(f"a worker that was cut off ended with {code}")
        self.replace(host)

    def step(self, host):
        """A worker joins that is killed at a step of a later round, at another step each time."""
        self.lose(host, signal.SIGKILL)
        identity, step = self.workers + self.joined, next(self.steps)
        losses = self.losses()
        self.replace(host, {"RESIST_FAILPOINT": ",".join(f"{identity}:{step}:{len(self.metrics()) + ahead}:kill"
                                                         for ahead in range(20, 40))})
        victim = self.running.pop(host)
        self.wait_for_loss(losses)
        self.running.insert(host, victim)
        if end_of(victim) != -signal.SIGKILL:
            self.wrong.append(f"a worker that was to be killed at the step {step} ended with {victim.returncode}")
        self.replace(host)

    def rendezvous(self, _):
        """The job ends at a checkpoint, and goes on with another rendezvous."""
        self.coordinator.kill()
        self.coordinator.wait()
        codes = [end_of(process) for process in self.running]
        if set(codes) != {75}:
            self.wrong.append(f"without the rendezvous the workers ended with {codes}")
        rounds = len(self.metrics())
        self.begin(["--resume", self.folder])
        self.wait_for_rounds(rounds + 1)

    def end(self):
        self.running[0].send_signal(signal.SIGTERM)
        codes = [end_of(process) for process in self.running]
        self.coordinator.kill()
        self.coordinator.wait()
        return codes

    def clean_up(self):
        super().clean_up()
        self.hosts.__exit__()


def end_of(process):
    """Its exit code; None where it does not end and has to be killed."""
    try:
        return process.wait(timeout=DEADLINE)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
        return None

"""Workers join from elsewhere, the rendezvous is a process of its own, links between two workers are cut."""
import os
import re
import signal
import unittest
from unittest import mock

from support import DEADLINE, TOKEN, Hosts, RESIST, TestCase, checkpoint, children, evaluation, free_port, generations, metrics, \
    rounds_of, run, start, train_command

ENDLESS = ("--rounds", 1000000)


class MembershipCase(TestCase):
    def setUp(self):
        super().setUp()
        self.run_dir = self.folder / "run"
        self.port = free_port()
        token = mock.patch.dict(os.environ, RESIST_TOKEN=TOKEN)
        token.start()
        self.addCleanup(token.stop)

    def begin(self, command, env=None):
        process = start(command, env=env)
        self.addCleanup(process.kill)
        return process

    def worker(self, rank, *options, workers=3):
        return self.begin(train_command(*ENDLESS, "--rendezvous", f"127.0.0.1:{self.port}", *options),
                          env={"RANK": str(rank), "WORLD_SIZE": str(workers)})

    def rendezvous(self):
        process = self.begin([RESIST, "rendezvous", "--port", self.port])
        self.assertIn(str(self.port), process.stdout.readline())
        return process

    def members(self):
        changes = generations(self.run_dir)
        return changes[-1]["members"] if changes else None

    def ends(self, process, code):
        _, errors = process.communicate(timeout=DEADLINE)
        self.assertEqual(process.returncode, code, errors)
        return errors

    def check_run(self):
        rounds = [line["round"] for line in metrics(self.run_dir)]
        self.assertEqual(rounds, list(range(1, len(rounds) + 1)))
        self.assertEqual(checkpoint(self.run_dir)[0], rounds[-1])
        evaluation(self.run_dir)


class Membership(MembershipCase):
    def test_a_job_of_the_launcher_can_be_joined(self):
        job = self.past_round(0, self.run_dir, train_command(*ENDLESS, "--workers", 3, "--restarts", 0, "--port",
                                                             self.port, "--run-dir", self.run_dir))
        joiner = self.begin([RESIST, "train", "--join", f"127.0.0.1:{self.port}", "--threads", "1"])
        os.kill(children(job)[1], signal.SIGKILL)
        self.wait_for(lambda: self.members() == [0, 2, 3], job, joiner)
        rounds = rounds_of(self.run_dir)
        self.wait_for(lambda: rounds_of(self.run_dir) > rounds + 1, job, joiner)
        job.send_signal(signal.SIGTERM)
        errors = self.ends(job, 75)
        self.assertIn("joined; 3 workers go on", self.ends(joiner, 75))
        self.assertIn(f"resist train --join 127.0.0.1:{self.port}", errors)
        self.check_run()

    def test_one_that_is_lost_before_it_asks_to_join_is_in_nobodys_way(self):
        job = self.past_round(0, self.run_dir, train_command(*ENDLESS, "--workers", 3, "--run-dir", self.run_dir))
        first = set(children(job))
        os.kill(min(first), signal.SIGKILL)
        self.wait_for(lambda: set(children(job)) - first, job)
        os.kill((set(children(job)) - first).pop(), signal.SIGKILL)
        self.wait_for(lambda: self.members() and self.members()[-1] == 4 and len(self.members()) == 3, job)
        job.send_signal(signal.SIGTERM)
        self.ends(job, 75)
        self.check_run()

    def test_who_joins_with_other_options_is_refused(self):
        self.past_round(0, self.run_dir, train_command(*ENDLESS, "--workers", 2, "--port", self.port, "--run-dir",
                                                       self.run_dir))
        where = f"127.0.0.1:{self.port}"
        result = run([RESIST, "train", "--join", where, "--lr", "0.7"], check=2)
        self.assertIn("--lr 0.7", result.stderr)
        result = run([RESIST, "train", "--join", where, "--data", "synthetic:300,1,8,8,4"], check=2)
        self.assertIn("--data", result.stderr)
        result = run([RESIST, "train", "--join", where, "--resume", self.run_dir], check=2)
        self.assertIn("--resume", self.one_line(result))
        result = run([RESIST, "train", "--join", f"{where}/other", "--rendezvous-timeout", 1], check=1)
        self.assertIn("other", result.stderr)

    def test_a_worker_that_waits_for_a_place_ends_with_the_job(self):
        job = self.past_round(0, self.run_dir, train_command(*ENDLESS, "--workers", 2, "--port", self.port, "--run-dir",
                                                             self.run_dir))
        joiner = self.begin([RESIST, "train", "--join", f"127.0.0.1:{self.port}", "--threads", "1"])
        self.wait_for(lambda: re.search("waiting", joiner.stderr.readline()), job, joiner)
        job.send_signal(signal.SIGTERM)
        self.ends(job, 75)
        self.ends(joiner, 1)
        self.assertEqual(generations(self.run_dir), [])

    def test_a_worker_that_is_started_again_joins(self):
        self.rendezvous()
        workers = [self.worker(rank, "--run-dir", self.run_dir) for rank in range(3)]
        self.wait_for(lambda: rounds_of(self.run_dir) > 0, *workers)
        workers[1].kill()
        self.wait_for(lambda: self.members() == [0, 2], workers[0], workers[2])
        workers[1] = self.worker(1, "--run-dir", self.run_dir)
        self.wait_for(lambda: self.members() == [0, 2, 3], *workers)
        workers[0].send_signal(signal.SIGTERM)
        for worker in workers:
            self.ends(worker, 75)
        self.check_run()

    def test_without_the_rendezvous_the_job_ends_at_a_checkpoint_and_goes_on_with_another(self):
        rendezvous = self.rendezvous()
        workers = [self.worker(rank, "--run-dir", self.run_dir) for rank in range(3)]
        self.wait_for(lambda: rounds_of(self.run_dir) > 0, *workers)
        rendezvous.kill()
        self.assertIn("--resume", [self.ends(worker, 75) for worker in workers][0])
        self.check_run()
        ended_at = rounds_of(self.run_dir)
        self.rendezvous()
        workers = [self.worker(rank, "--resume", self.run_dir) for rank in range(3)]
        self.wait_for(lambda: rounds_of(self.run_dir) > ended_at, *workers)
        workers[2].send_signal(signal.SIGTERM)
        for worker in workers:
            self.ends(worker, 75)
        # The same rendezvous serves the job once more.
        workers = [self.worker(rank, "--resume", self.run_dir) for rank in range(3)]
        ended_at = rounds_of(self.run_dir)
        self.wait_for(lambda: rounds_of(self.run_dir) > ended_at, *workers)
        workers[1].send_signal(signal.SIGTERM)
        for worker in workers:
            self.ends(worker, 75)
        self.check_run()

    def test_without_its_launcher_a_job_ends_at_a_checkpoint(self):
        job = self.past_round(0, self.run_dir, train_command(*ENDLESS, "--workers", 2, "--run-dir", self.run_dir))
        workers = children(job)
        job.kill()
        self.wait_for(lambda: not any(os.path.exists(f"/proc/{pid}") for pid in workers))
        self.check_run()


@unittest.skipIf(Hosts.missing(), Hosts.missing())
class BetweenHosts(MembershipCase):
    def start_on(self, hosts, host, *options, env=None):
        process = start(hosts.on(host, train_command(*ENDLESS, *options)), env=env)
        self.addCleanup(process.kill)
        return process

    def test_a_job_of_the_launcher_can_be_joined_from_another_host(self):
        with Hosts(2) as hosts:
            job = self.start_on(hosts, 0, "--workers", 2, "--restarts", 0, "--port", self.port, "--interface", "veth",
                                "--run-dir", self.run_dir)
            self.wait_for(lambda: rounds_of(self.run_dir) > 0, job)
            os.kill(children(job)[0], signal.SIGKILL)
            joiner = self.begin(hosts.on(1, [RESIST, "train", "--join", f"{hosts.address(0)}:{self.port}"]))
            self.wait_for(lambda: self.members() == [1, 2], job, joiner)
            job.send_signal(signal.SIGTERM)
            self.assertIn(f"--join {hosts.address(0)}:{self.port}", self.ends(job, 75))
            self.ends(joiner, 75)
        self.check_run()

    def test_of_two_that_cannot_reach_each_other_one_is_left_out(self):
        with Hosts(4) as hosts:
            rendezvous = self.begin(hosts.on(3, [RESIST, "rendezvous", "--port", str(self.port)]))
            rendezvous.stdout.readline()
            where = f"{hosts.address(3)}:{self.port}"
            workers = [self.start_on(hosts, rank, "--rendezvous", where, "--timeout", 5, "--run-dir", self.run_dir,
                                     env={"RANK": str(rank), "WORLD_SIZE": "3"}) for rank in range(3)]
            self.wait_for(lambda: rounds_of(self.run_dir) > 0, *workers)
            hosts.part(1, 2)
            self.wait_for(lambda: self.members() == [0, 1], *workers[:2])
            self.assertIn("can't reach worker 1 at 10.78.0.2", self.ends(workers[2], 1))
            rounds = rounds_of(self.run_dir)
            self.wait_for(lambda: rounds_of(self.run_dir) > rounds + 1, *workers[:2])
            workers[0].send_signal(signal.SIGTERM)
            for worker in workers[:2]:
                self.ends(worker, 75)
        self.check_run()


if __name__ == "__main__":
    unittest.main()

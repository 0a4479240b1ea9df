"""The same bits: processes over TCP, threads in one process, two hosts, an interrupted run, an independent replay."""
import os
import random
import re
import signal
import sys
import time
import unittest
from pathlib import Path

from support import DEADLINE, Hosts, RESIST, TestCase, checkpoint, children, free_port, metrics, run, start, \
    torchrun_environment, train_command

HERE = Path(__file__).resolve().parent


class SameBits(TestCase):
    def train(self, name, *extra):
        run(train_command("--run-dir", self.folder / name, *extra))
        return checkpoint(self.folder / name)

    def test_tcp_equals_in_process(self):
        for workers in (2, 3, 4, 8):
            with self.subTest(workers=workers):
                tcp = self.train(f"tcp{workers}", "--workers", workers)
                threads = self.train(f"threads{workers}", "--workers", workers, "--in-process")
                self.assertEqual(tcp[0], 4)
                self.assertEqual(tcp, threads)

    def test_tcp_equals_in_process_for_every_kind_of_momentum_and_method(self):
        for index, extra in enumerate([("--momentum-sync", "carry"), ("--momentum-sync", "average", "--nesterov"),
                                       ("--method", "local-sgd", "--data-mode", "sharded"),
                                       ("--method", "data-parallel"), ("--warmup-epochs", "0.1"),
                                       ("--compress", "int6"), ("--compress", "bf16", "--method", "local-sgd"),
                                       ("--overlap",), ("--overlap", "--compress", "int4", "--momentum-sync", "carry"),
                                       ("--partition", "exact", "--eval-every", "2"),
                                       ("--partition-sections", "2,3", "--depths", "1,6,6,1"),
                                       ("--partition-sections", "2,3", "--depths", "1,6,6,1", "--method", "local-sgd"),
                                       ("--partition-first-blocks",),
                                       ("--dealing", "strata", "--outer-momentum", "0.4", "--deal-every", "2"),
                                       ("--last-section-every", "3", "--stochastic-depth", "0.3"),
                                       ("--method", "local-sgd", "--outer-lr", "0.7", "--outer-momentum", "0.9",
                                        "--outer-nesterov")]):
            with self.subTest(extra=extra):
                tcp = self.train(f"tcp{index}", "--workers", 2, *extra)
                threads = self.train(f"threads{index}", "--workers", 2, "--in-process", *extra)
                self.assertEqual(tcp, threads)

    def test_workers_that_torchrun_starts_equal_in_process(self):
        # It must come with the libtorch that the program was built with: releases don't speak to each other.
        launcher = os.environ.get("RESIST_TORCHRUN")
        torchrun = [*([launcher] if launcher else [sys.executable, "-m", "torch.distributed.run"]), "--no_python",
                    "--nproc_per_node", "2", "--master_port", str(free_port())]
        probe = run([*torchrun, "true"], check=None)
        if probe.returncode != 0:  # Debian's 1.13 can't start anything under Python 3.11
            self.skipTest(f"no working torchrun here: {probe.stderr.strip().splitlines()[-1]}")
        result = run([*torchrun, *train_command("--run-dir", self.folder / "torchrun")])
        self.assertIn("2 workers, told by torchrun's environment", result.stderr)
        run(train_command("--workers", 2, "--in-process", "--run-dir", self.folder / "threads"))
        self.assertEqual(checkpoint(self.folder / "torchrun"), checkpoint(self.folder / "threads"))

    def test_resist_that_never_leaves_its_warm_up_is_local_sgd(self):
        self.assertEqual(self.train("warm-up", "--workers", 3, "--in-process", "--warmup-epochs", "1000"),
                         self.train("local-sgd", "--workers", 3, "--in-process", "--method", "local-sgd"))

    def test_different_seeds_differ(self):
        one = self.train("one", "--workers", 2, "--in-process")
        other = self.train("other", "--workers", 2, "--in-process", "--seed", 6)
        self.assertNotEqual(one[1], other[1])

    def test_a_recorded_round_replays_in_plain_pytorch(self):
        try:
            import torch  # noqa: F401
        except ImportError:
            self.skipTest("this python3 has no torch")
        # The wider one's convolutions are Winograd's, in tiles of 4x4 too. Their last digits differ, so a few
        # activations fall on the other side of the rectifier's kink: that shows in the biases, whose gradients are
        # what is left of large sums.
        for width, tolerance in ((8, 1e-4), (32, 3e-2)):
            with self.subTest(width=width):
                run_dir = self.folder / f"recorded{width}"
                run([RESIST, "train", "--recipe", "paper", "--data", "synthetic:300,3,12,12,5", "--depths", "1,2,6,1",
                     "--width", width,
                     "--batch-size", "16", "--local-iterations", "3", "--rounds", "3", "--workers", "3", "--threads",
                     "1", "--precision", "fp32", "--record-round", "2", "--run-dir", run_dir])
                result = run([sys.executable, HERE.parent / "parity" / "replay_round.py", run_dir / "record",
                              tolerance])
                self.assertIn("3 workers compared", result.stdout)


class Resuming(TestCase):
    EXTRA = ("--workers", 2, "--momentum-sync", "carry", "--compress", "int6", "--overlap", "--checkpoint-every", 2, "--rounds", 10, "--eval-every", 5)

    def kill_9(self, run_dir, when):
        """Kills launcher and workers in the moment in which `when(run_dir)` holds; False if they ended before."""
        process = start(train_command(*self.EXTRA, "--run-dir", run_dir))
        while not when(run_dir):
            if process.poll() is not None:
                self.assertEqual(process.returncode, 0, process.communicate()[1])
                return False
        for pid in [process.pid, *children(process)]:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        process.communicate()
        return process.returncode == -signal.SIGKILL

    def resume_after_kills(self, name, times, when):
        """Kills `times` runs in the moment that `when` says, resumes each, and compares with the uninterrupted run."""
        run(train_command(*self.EXTRA, "--in-process", "--run-dir", self.folder / "whole"))
        whole = checkpoint(self.folder / "whole")
        killed = 0
        for attempt in range(20 * times):
            run_dir = self.folder / f"{name}{attempt}"
            if not self.kill_9(run_dir, when):
                continue
            run([RESIST, "train", "--resume", run_dir])
            self.assertEqual(checkpoint(run_dir), whole)
            self.assertEqual([m["round"] for m in metrics(run_dir)], list(range(1, 11)))
            self.assertEqual(metrics(run_dir)[-1]["accuracy"], metrics(self.folder / "whole")[-1]["accuracy"])
            self.assertFalse(list(run_dir.glob("checkpoints/.*")), "an unfinished checkpoint was left")
            killed += 1
            if killed == times:
                return
        self.fail(f"only {killed} of {20 * times} runs were there to be killed")

    def test_kill_9_at_any_moment_then_resume_gives_the_same_bits(self):
        generator = random.Random(7)

        def some_time_after_the_first_checkpoint(run_dir):
            if not list(run_dir.glob("checkpoints/round-*")):
                return False
            time.sleep(generator.random() * 0.1)
            return True

        self.resume_after_kills("killed", 4, some_time_after_the_first_checkpoint)

    def test_kill_9_in_the_middle_of_writing_a_checkpoint_then_resume_gives_the_same_bits(self):
        self.resume_after_kills("writing", 4, lambda run_dir: list(run_dir.glob("checkpoints/.*/*")))

    def test_kill_9_before_the_first_checkpoint_then_resume_gives_the_same_bits(self):
        self.resume_after_kills("early", 2, lambda run_dir: (run_dir / "config.toml").exists())

    def test_sigterm_finishes_the_round_and_exits_75(self):
        for sent, code in ((signal.SIGTERM, 75), (signal.SIGUSR1, 75), (signal.SIGINT, 130)):
            with self.subTest(signal=sent):
                run_dir = self.folder / f"signal{sent}"
                process = self.started(run_dir, "--workers", 2, "--overlap", "--compress", "int6")
                process.send_signal(sent)
                _, err = process.communicate(timeout=DEADLINE)
                self.assertEqual(process.returncode, code, err)
                self.assertIn("--resume", err)
                self.assertEqual(checkpoint(run_dir)[0], metrics(run_dir)[-1]["round"])

    def test_a_signal_at_one_worker_stops_all(self):
        for sent, code in ((signal.SIGTERM, 75), (signal.SIGINT, 130)):
            with self.subTest(signal=sent):
                run_dir = self.folder / f"signal{sent}"
                process = self.started(run_dir, "--workers", 2, "--overlap", "--compress", "int6")
                os.kill(children(process)[1], sent)
                _, err = process.communicate(timeout=DEADLINE)
                self.assertEqual(process.returncode, code, err)
                self.assertEqual(checkpoint(run_dir)[0], metrics(run_dir)[-1]["round"])

    def test_a_signal_before_training_ends_all_at_once(self):
        for delay in (0, 0.1):
            process = start(train_command("--workers", 3, "--rounds", 100000, "--run-dir", self.folder / f"run{delay}"))
            time.sleep(delay)
            process.send_signal(signal.SIGTERM)
            process.communicate(timeout=60)  # far less than --rendezvous-timeout
            self.assertIn(process.returncode, (-signal.SIGTERM, 128 + signal.SIGTERM, 75))

    def test_options_edited_in_the_run_folder_are_refused_by_name(self):
        run_dir = self.folder / "run"
        run(train_command("--workers", 2, "--run-dir", run_dir))
        config = run_dir / "config.toml"
        config.write_text(re.sub(r"(?m)^lr = .*$", "lr = 0.77", config.read_text()))
        result = run([RESIST, "train", "--resume", run_dir, "--rounds", 9], check=2)
        self.assertIn("--lr", result.stderr)

    def test_resuming_may_change_the_number_of_workers_and_the_length(self):
        run_dir = self.folder / "run"
        run(train_command("--workers", 2, "--run-dir", run_dir, "--compress", "int6"))
        run([RESIST, "train", "--resume", run_dir, "--workers", 3, "--rounds", 7])
        records = metrics(run_dir)
        self.assertEqual([m["round"] for m in records], list(range(1, 8)))
        self.assertEqual(records[-1]["samples"], 4 * 3 * 8 * 2 + 3 * 3 * 8 * 3)
        self.assertEqual(len(records[-1]["workers"]["loss"]), 3)
        last = checkpoint(run_dir)
        result = run([RESIST, "train", "--resume", run_dir])
        self.assertIn("nothing is left to train", result.stderr)
        self.assertEqual(checkpoint(run_dir), last)
        self.assertEqual(metrics(run_dir), records)
        before = (run_dir / "config.toml").read_text()
        run([RESIST, "train", "--resume", run_dir, "--rounds", 5])
        self.assertEqual((run_dir / "config.toml").read_text(), before, "nothing was trained, so nothing changed")
        again = self.folder / "again"
        run([RESIST, "train", "--config", run_dir / "config.toml", "--run-dir", again, "--rounds", 1])
        self.assertEqual(metrics(again)[0]["round"], 1)

    def resume_where_only_worker_0_has_the_folder(self, run_dir, *extra_of_worker_1):
        port = free_port()
        workers = [start([RESIST, "train", "--resume", folder, "--rounds", "6", *extra],
                         env=torchrun_environment(rank, 2, "127.0.0.1", port, 2))
                   for rank, (folder, extra) in enumerate([(run_dir, ()), ("/nowhere/run", extra_of_worker_1)])]
        return [(worker.communicate(timeout=DEADLINE)[1], worker.returncode) for worker in workers]

    def test_only_worker_0_needs_the_run_folder(self):
        part = self.folder / "part"
        job = ("--workers", 2, "--lr", "0.07", "--schedule", "constant")  # a schedule would depend on the length
        run(train_command(*job, "--rounds", 6, "--run-dir", self.folder / "whole"))
        run(train_command(*job, "--rounds", 3, "--run-dir", part))
        for errors, code in self.resume_where_only_worker_0_has_the_folder(part):
            self.assertEqual(code, 0, errors)
        self.assertEqual(checkpoint(part), checkpoint(self.folder / "whole"))
        for errors, code in self.resume_where_only_worker_0_has_the_folder(part, "--lr", "0.5"):
            self.assertEqual(code, 2, errors)
            self.assertIn("worker 1", errors)
            self.assertIn("--lr 0.5 where worker 0 has 0.07", errors)

    def test_resuming_refuses_other_changes_by_name(self):
        run_dir = self.folder / "run"
        run(train_command("--workers", 2, "--run-dir", run_dir))
        before = sorted(run_dir.rglob("*"))
        result = run([RESIST, "train", "--resume", run_dir, "--lr", "0.5"], check=2)
        self.assertIn("lr", self.one_line(result))
        self.assertEqual(sorted(run_dir.rglob("*")), before)

    def test_a_damaged_newest_checkpoint_is_named_and_the_one_before_it_used(self):
        run_dir = self.folder / "run"
        run(train_command(*self.EXTRA, "--in-process", "--run-dir", run_dir))
        expected = checkpoint(run_dir)
        newest = sorted((run_dir / "checkpoints").glob("round-*"))[-1] / "shared.safetensors"
        with open(newest, "r+b") as file:
            file.seek(-1, os.SEEK_END)
            byte = file.read(1)
            file.seek(-1, os.SEEK_END)
            file.write(bytes([byte[0] ^ 1]))
        result = run([RESIST, "train", "--resume", run_dir])
        self.assertIn("round-000010", result.stderr)
        self.assertEqual(checkpoint(run_dir), expected)


@unittest.skipIf(Hosts.missing(), Hosts.missing())
class TwoHosts(TestCase):
    PORT = 29611

    def train(self, hosts, run_dir, extra, workers_per_host=2):
        workers = workers_per_host * hosts.count
        processes = []
        for rank in range(workers):
            host = rank // workers_per_host
            environment = torchrun_environment(rank, workers, "10.78.0.1", self.PORT, workers_per_host)
            processes.append(start(hosts.on(host, [*extra, "--run-dir", str(run_dir)]), env=environment))
        outputs = [process.communicate(timeout=DEADLINE) for process in processes]
        for process, (_, err) in zip(processes, outputs):
            self.assertEqual(process.returncode, 0, err)
        return outputs

    def test_two_workers_on_each_of_two_hosts_equal_one_process(self):
        run(train_command("--workers", 4, "--in-process", "--run-dir", self.folder / "threads"))
        with Hosts(2) as hosts:
            outputs = self.train(hosts, self.folder / "hosts", train_command())
        self.assertIn("4 workers, told by RANK and WORLD_SIZE", outputs[0][1])
        self.assertIn("10.78.0.2", outputs[0][1])
        self.assertEqual(checkpoint(self.folder / "hosts"), checkpoint(self.folder / "threads"))

    def test_interfaces_count_what_the_metrics_say(self):
        # Two runs that differ by eight rounds, so that connecting, evaluating and checkpointing cancel out.
        job = [RESIST, "train", "--data", "synthetic:200,3,8,8,4", "--depths", "1,1,9,1", "--width", "32",
               "--batch-size", "4", "--local-iterations", "1", "--threads", "1"]
        counted, payload = [], []
        with Hosts(2) as hosts:
            for rounds in (2, 10):
                run_dir = self.folder / f"run{rounds}"
                before = sum(hosts.bytes_sent(host) for host in range(2))
                self.train(hosts, run_dir, [*job, "--rounds", str(rounds)], workers_per_host=1)
                counted.append(sum(hosts.bytes_sent(host) for host in range(2)) - before)
                payload.append(sum(m["bytes_sent"] for m in metrics(run_dir)))
        self.assertGreater(payload[1] - payload[0], 20e6)
        self.assertAlmostEqual((counted[1] - counted[0]) / (payload[1] - payload[0]), 1, delta=0.01)


if __name__ == "__main__":
    unittest.main()

"""Wrong input and things that break: a clear line, the documented exit code, nothing half done."""
import errno
import os
import signal
import socket
import subprocess
import time
import unittest
from pathlib import Path

from support import DEADLINE, RESIST, TestCase, checkpoint, children, damage, free_port, metrics, run, start, \
    torchrun_environment, train_command


class WrongInput(TestCase):
    def refused(self, command, *words, code=2):
        before = sorted(self.folder.rglob("*"))
        result = run(command, check=code, cwd=self.folder)
        line = self.one_line(result)
        for word in words:
            self.assertIn(word, line)
        self.assertEqual(sorted(self.folder.rglob("*")), before, "something was written")

    def test_wrong_input_ends_before_anything_is_started_or_written(self):
        self.refused([RESIST, "train", "--wokers", "4"], "--workers")
        self.refused([RESIST, "train", "--data", "fasion-mnist"], "fashion-mnist")
        self.refused([RESIST, "train", "--data", "mnist", "--data-dir", "nowhere"], "nowhere")
        self.refused([RESIST, "train", "--resume", "runs/missing", "--workers", "2"], "runs/missing")
        self.refused(train_command("--workers", 7, "--partition", "exact"), "6 blocks")
        self.refused(train_command("--min-blocks", 7, "--workers", 2), "7", "6")
        self.refused(train_command("--depths", "1,1,1,1"), "nothing to partition")
        self.refused(train_command("--partition-sections", "5"), "5")
        self.refused(train_command("--image-size", 9), "8x8")
        self.refused(train_command("--classes", 3), "4 classes")
        self.refused([RESIST, "evaluate", "nowhere"], "nowhere")
        self.refused([RESIST, "train", "--resume", "nowhere"], "nowhere")
        self.refused(train_command("--workers", 2, "--holdout", 400), "400")
        self.refused(train_command("--compress", "int5"), "int6")
        self.refused(train_command("--compress", "int6", "--method", "data-parallel"), "data-parallel")
        self.refused(train_command("--balance", "speed", "--method", "local-sgd"), "--balance", "--method local-sgd")
        self.refused(train_command("--balance", "speed", "--partition", "exact"), "--balance", "--partition exact")
        self.refused(train_command("--overlap", "--momentum-sync", "average"), "--momentum-sync")

    def test_a_run_is_never_overwritten(self):
        run(train_command("--workers", 2, "--run-dir", self.folder / "run"))
        for workers in (1, 2):
            self.refused(train_command("--workers", workers, "--run-dir", "run"), "run", "never overwritten")

    def test_an_unwritable_run_folder_is_named(self):
        (self.folder / "file").write_text("")
        self.refused(train_command("--workers", 1, "--run-dir", "file/run"), "file/run")

    def test_the_environment_must_make_sense(self):
        for variable, value in (("RANK", "2"), ("RANK", "x"), ("MASTER_PORT", "0"), ("MASTER_ADDR", "")):
            environment = {**torchrun_environment(0, 2, "127.0.0.1", 29600, 2), variable: value}
            result = run(train_command(), check=2, env=environment, cwd=self.folder)
            self.assertIn(variable, self.one_line(result))
        result = run(train_command("--workers", 3), check=2, cwd=self.folder,
                     env=torchrun_environment(0, 2, "127.0.0.1", 29600, 2))
        self.assertIn("--workers 3", self.one_line(result))


class Rendezvous(TestCase):
    def test_a_taken_port_is_named(self):
        with socket.socket() as taken:
            taken.bind(("", 0))
            taken.listen()
            port = taken.getsockname()[1]
            result = run(train_command("--workers", 2, "--port", port, "--run-dir", self.folder / "run"), check=1)
        self.assertIn(str(port), self.one_line(result))
        self.assertIn("--port", result.stderr)
        self.assertFalse((self.folder / "run").exists())

    def test_a_worker_that_never_comes_is_named_after_the_deadline(self):
        environment = torchrun_environment(0, 3, "127.0.0.1", free_port(), 3)
        result = run(train_command("--rendezvous-timeout", 2, "--run-dir", self.folder / "run"), check=1,
                     env=environment)
        self.assertIn("workers 1, 2 did not come within 2 s", result.stderr)
        self.assertFalse((self.folder / "run").exists())

    def pair(self, first, second):
        port = free_port()
        processes = [start(train_command(*extra, "--run-dir", self.folder / "run"),
                           env=torchrun_environment(rank, 2, "127.0.0.1", port, 2))
                     for rank, extra in enumerate((first, second))]
        outputs = [process.communicate(timeout=DEADLINE)[1] for process in processes]
        return [process.returncode for process in processes], outputs

    def test_options_that_differ_between_workers_are_named(self):
        codes, outputs = self.pair(("--lr", "0.1"), ("--lr", "0.2"))
        self.assertEqual(codes, [2, 2])
        for output in outputs:
            self.assertIn("--lr 0.2", output)
            self.assertIn("worker 1", output)
        self.assertFalse((self.folder / "run").exists())

    def test_threads_may_differ(self):
        codes, outputs = self.pair(("--threads", "1"), ("--threads", "2"))
        self.assertEqual(codes, [0, 0], outputs)


class WhileTraining(TestCase):
    def test_where_all_are_needed_a_killed_worker_ends_all_and_the_cause_is_on_screen(self):
        process = self.started(self.folder / "run", "--workers", "3:3", "--overlap")
        workers = children(process)
        os.kill(workers[1], signal.SIGKILL)
        _, err = process.communicate(timeout=DEADLINE)
        self.assertEqual(process.returncode, 75)
        self.assertIn("worker 1 was killed by signal 9", err)
        self.assertIn("--resume", err)
        for pid in workers:
            self.assertFalse(Path(f"/proc/{pid}").exists(), "a worker outlived the run")

    def test_a_killed_launcher_leaves_no_worker_behind(self):
        process = self.started(self.folder / "run", "--workers", 2)
        workers = children(process)
        process.kill()
        process.communicate()
        end = time.monotonic() + DEADLINE
        while any(Path(f"/proc/{pid}").exists() for pid in workers):
            self.assertLess(time.monotonic(), end)
            time.sleep(0.05)

    def test_a_loss_that_is_not_finite_drops_the_round_and_names_the_last_checkpoint(self):
        run_dir = self.folder / "run"
        result = run(train_command("--workers", 2, "--lr", "1000", "--momentum", "0.999", "--local-iterations", "50", "--run-dir", run_dir), check=1)
        self.assertIn("round 1 was dropped", result.stderr)
        self.assertIn("No checkpoint", result.stderr)
        self.assertFalse(list(run_dir.glob("checkpoints/*")))

    def test_a_damaged_checkpoint_is_left_out_and_the_one_before_taken(self):
        whole, run_dir = self.folder / "whole", self.folder / "run"
        run(train_command("--workers", 2, "--run-dir", whole))
        run(train_command("--workers", 2, "--checkpoint-every", 1, "--keep-checkpoints", 4, "--run-dir", run_dir))
        for round_number in (4, 3):
            damage(run_dir, round_number)
        result = run([RESIST, "train", "--resume", run_dir])
        self.assertIn("the checkpoint of round 4 is left out", result.stderr)
        self.assertIn("the checkpoint of round 3 is left out", result.stderr)
        self.assertIn("blocks.safetensors' is damaged", result.stderr)
        self.assertIn("resuming after round 2 of 4", result.stderr)
        self.assertEqual([line["round"] for line in metrics(run_dir)], [1, 2, 3, 4])
        self.assertEqual(checkpoint(run_dir), checkpoint(whole))
        for folder in (run_dir / "checkpoints").iterdir():
            damage(run_dir, int(folder.name.split("-")[1]))
        result = run([RESIST, "train", "--resume", run_dir], check=2)
        self.assertIn("every checkpoint of the run", result.stderr)
        self.assertIn("blocks.safetensors", result.stderr)

    def test_a_disk_that_stays_full_fails_the_run_at_its_end_and_keeps_the_checkpoint_before(self):
        run_dir = self.small_disk("600k") / "run"
        result = run(train_command("--workers", 2, "--checkpoint-every", 1, "--keep-checkpoints", 50, "--run-dir",
                                   run_dir), check=1)
        self.assertIn("No space left on device", result.stderr)
        self.assertRegex(result.stderr, "round [23] is not saved: can't write '.*safetensors'.*; training goes on")
        saved, _ = checkpoint(run_dir)
        self.assertIn(saved, (1, 2))
        self.assertFalse(list((run_dir / "checkpoints").glob(".*")), "an unfinished checkpoint was left")
        run(["mount", "-o", "remount,size=50m", run_dir.parent])
        run([RESIST, "train", "--resume", run_dir])
        self.assertEqual([line["round"] for line in metrics(run_dir)], [1, 2, 3, 4])
        self.assertEqual(checkpoint(run_dir)[0], 4)

    def test_a_run_outlives_a_disk_that_is_full_for_a_while(self):
        disk = self.small_disk("20m")
        run_dir = disk / "run"
        process = self.started(run_dir, "--workers", 2, "--checkpoint-every", 5)
        filler = disk / "filler"
        with open(filler, "wb", buffering=0) as file:
            try:
                while True:
                    file.write(bytes(4096))
            except OSError as error:
                self.assertEqual(error.errno, errno.ENOSPC)
        lines = iter(process.stderr.readline, "")
        self.assertTrue(any("is not saved" in line and "training goes on" in line for line in lines))
        filler.unlink()
        process.send_signal(signal.SIGTERM)
        _, errors = process.communicate(timeout=DEADLINE)
        self.assertEqual(process.returncode, 75, errors)
        rounds = [line["round"] for line in metrics(run_dir)]
        self.assertEqual(rounds, list(range(1, len(rounds) + 1)))
        self.assertEqual(checkpoint(run_dir)[0], rounds[-1])

    def small_disk(self, size):
        """A file system of that size, where the machine allows one."""
        if os.geteuid() != 0:
            self.skipTest("a small file system of one's own needs root")
        disk = self.folder / "disk"
        disk.mkdir()
        mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", disk], capture_output=True)
        if mounted.returncode != 0:
            self.skipTest(f"no tmpfs here: {mounted.stderr.decode().strip()}")
        self.addCleanup(subprocess.run, ["umount", "-l", disk], check=True)
        return disk


if __name__ == "__main__":
    unittest.main()

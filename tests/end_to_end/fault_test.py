"""Worker processes are killed and stopped at every step of a round, and the others go on."""
import json
import os
import signal
import unittest
from pathlib import Path

from support import DEADLINE, RESIST, STEPS, TestCase, checkpoint, children, damage, evaluation, generations, history, \
    metrics, run, start, train_command

SAMPLES = 400  # of the small job
BATCH = 8


def batches_of(worker):
    return [first + i * stride for first, stride, count in worker["batches"] for i in range(count)]


class Faults(TestCase):
    def survived(self, faults, *options, workers="4"):
        run_dir = self.folder / f"run-{faults.replace(':', '-').replace(',', '-')}"
        result = run(train_command("--workers", workers, "--eval-every", 1, "--checkpoint-every", 1, "--restarts", 0,
                                   *options, "--run-dir", run_dir), env={"RESIST_FAILPOINT": faults})
        rounds = [line["round"] for line in metrics(run_dir)]
        self.assertEqual(rounds, [1, 2, 3, 4], result.stderr)
        self.assertTrue(all("accuracy" in line for line in metrics(run_dir)))
        self.assertEqual(checkpoint(run_dir)[0], 4)
        evaluation(run_dir)
        return run_dir, result.stderr

    def test_any_worker_may_be_killed_at_any_step(self):
        for number, step in enumerate(STEPS):
            victim = number % 4
            with self.subTest(step=step, victim=victim):
                run_dir, errors = self.survived(f"{victim}:{step}:2:kill")
                lost = [generation["lost"] for generation in generations(run_dir)]
                self.assertEqual(lost, [[victim]], errors)
                self.assertEqual(generations(run_dir)[0]["lost_blocks"], [])
                self.assertIn(f"worker {victim} was killed by signal 9", errors)

    def test_the_worker_that_writes_the_run_may_be_killed_at_any_step(self):
        for step in STEPS:
            with self.subTest(step=step):
                run_dir, errors = self.survived(f"0:{step}:3:kill", workers="3")
                self.assertEqual(generations(run_dir)[0]["members"], [1, 2])
                self.assertIn("worker 1 writes the run from now on", errors)

    def test_a_message_may_be_damaged_at_any_step_and_the_result_is_the_same(self):
        undisturbed = self.folder / "undisturbed"
        run(train_command("--workers", 4, "--eval-every", 1, "--checkpoint-every", 1, "--run-dir", undisturbed))
        for number, step in enumerate(STEPS):
            sender = number % 4
            with self.subTest(step=step, sender=sender):
                run_dir, errors = self.survived(f"{sender}:{step}:2:corrupt")
                self.assertEqual([(line["members"], line["lost"]) for line in generations(run_dir)], [([0, 1, 2, 3], [])])
                self.assertRegex(errors, f"receive from worker {sender} at [0-9.]+ failed: the checksum of its message")
                self.assertEqual(checkpoint(run_dir), checkpoint(undisturbed))

    def test_all_but_one_may_be_killed_one_after_the_other(self):
        run_dir, _ = self.survived("3:staged:2:kill,1:training:3:kill,0:ready:4:kill", "--min-blocks", 1)
        self.assertEqual([generation["members"] for generation in generations(run_dir)], [[0, 1, 2], [0, 2], [2]])

    def test_a_worker_may_be_killed_after_the_last_round(self):
        for victim in (0, 2):
            run_dir, errors = self.survived(f"{victim}:reported:4:kill", workers="3")
            self.assertTrue((run_dir / "calibration").exists(), errors)

    def test_blocks_without_a_copy_come_from_the_checkpoint(self):
        run_dir, errors = self.survived("1:trained:3:kill", "--protect", "none", "--min-blocks", 1, workers="3")
        lost = generations(run_dir)[0]["lost_blocks"]
        self.assertEqual(len(lost), 2)
        self.assertEqual([block["rounds"] for block in lost], [0, 0])  # the checkpoint is of the round before
        self.assertIn("was lost with all its copies", errors)

    def test_a_block_comes_from_the_checkpoint_before_where_the_newest_is_damaged(self):
        run_dir = self.folder / "run"
        process = start(train_command("--workers", 3, "--restarts", 0, "--checkpoint-every", 1, "--protect", "none",
                                      "--min-blocks", 1, "--run-dir", run_dir),
                        env={"RESIST_FAILPOINT": "1:trained:3:stop"})
        self.addCleanup(process.kill)
        self.wait_for(lambda: (run_dir / "checkpoints" / "round-000002").exists(), process)
        victim = children(process)[1]
        self.wait_for(lambda: Path(f"/proc/{victim}/stat").read_text().split()[2] == "T", process)
        damage(run_dir, 2)
        os.kill(victim, signal.SIGKILL)
        _, errors = process.communicate(timeout=DEADLINE)
        self.assertEqual(process.returncode, 0, errors)
        self.assertIn("the checkpoint of round 2 is left out", errors)
        self.assertEqual([block["rounds"] for block in generations(run_dir)[0]["lost_blocks"]], [1, 1])
        self.assertEqual([line["round"] for line in metrics(run_dir)], [1, 2, 3, 4])

    def test_a_worker_that_is_silent_for_long_is_left_out(self):
        run_dir, errors = self.survived("1:trained:3:stop", workers="3")
        self.assertEqual(generations(run_dir)[0]["lost"], [1])
        self.assertIn("worker 1 was left out by the others", errors)

    def test_a_worker_that_is_stopped_for_a_moment_comes_back(self):
        run_dir = self.folder / "run"
        process = self.started(run_dir, "--workers", 3)
        stopped = children(process)[1]
        os.kill(stopped, signal.SIGSTOP)
        os.kill(stopped, signal.SIGCONT)
        process.send_signal(signal.SIGTERM)
        _, errors = process.communicate(timeout=DEADLINE)
        self.assertEqual(process.returncode, 75, errors)
        self.assertEqual(generations(run_dir), [])

    def test_a_lost_worker_is_replaced_by_one_that_joins(self):
        for options in ((), ("--method", "data-parallel"), ("--momentum-sync", "average", "--data-mode", "sharded"),
                        ("--compress", "int6", "--overlap")):
            with self.subTest(options=options):
                run_dir = self.folder / f"joined{'-'.join(options)}"
                process = self.past_round(0, run_dir, train_command(
                    "--workers", 3, "--rounds", 100000, *options, "--run-dir", run_dir))
                for victim in (1, 0):
                    before = len(generations(run_dir))
                    os.kill(children(process)[victim], signal.SIGKILL)
                    self.wait_for(lambda: len(generations(run_dir)) >= before + 2, process)
                process.send_signal(signal.SIGTERM)
                _, errors = process.communicate(timeout=DEADLINE)
                self.assertEqual(process.returncode, 75, errors)
                self.assertEqual([generation["members"] for generation in generations(run_dir)],
                                 [[0, 2], [0, 2, 3], [2, 3], [2, 3, 4]], errors)
                self.assertEqual(generations(run_dir)[1]["joined"], [3])
                rounds = [line["round"] for line in metrics(run_dir)]
                self.assertEqual(rounds, list(range(1, len(rounds) + 1)))
                self.assertEqual(checkpoint(run_dir)[0], rounds[-1])
                evaluation(run_dir)

    def test_a_stop_while_a_lost_worker_is_being_replaced_is_a_stop(self):
        run_dir = self.folder / "run"
        process = self.started(run_dir, "--workers", 3)
        os.kill(children(process)[1], signal.SIGKILL)
        self.wait_for(lambda: len(children(process)) == 3 and generations(run_dir), process)
        process.send_signal(signal.SIGTERM)
        _, errors = process.communicate(timeout=DEADLINE)
        self.assertEqual(process.returncode, 75, errors)
        self.assertEqual(checkpoint(run_dir)[0], metrics(run_dir)[-1]["round"])

    def test_with_fewer_than_asked_for_the_run_stops_at_a_checkpoint(self):
        run_dir = self.folder / "run"
        result = run(train_command("--workers", "3:3", "--run-dir", run_dir), check=75,
                     env={"RESIST_FAILPOINT": "2:trained:2:kill"})
        self.assertIn("2 workers are left where --workers asks for 3 at least", result.stderr)
        self.assertEqual(checkpoint(run_dir)[0], 2)
        run([RESIST, "train", "--resume", run_dir, "--workers", 2])
        self.assertEqual(metrics(run_dir)[-1]["round"], 4)

    def test_every_way_of_training_survives(self):
        for options in (("--method", "local-sgd"), ("--method", "data-parallel"), ("--overlap",), ("--compress", "int6"),
                        ("--momentum-sync", "average"), ("--data-mode", "sharded"),
                        ("--balance", "speed", "--min-blocks", "1")):
            with self.subTest(options=options):
                run_dir = self.folder / "-".join(options)
                run(train_command("--workers", 3, "--restarts", 0, *options, "--run-dir", run_dir),
                    env={"RESIST_FAILPOINT": "2:training:2:kill,1:agreed:3:kill"})
                self.assertEqual([line["round"] for line in metrics(run_dir)], [1, 2, 3, 4])

    def test_sharded_samples_are_used_once_a_pass_whoever_is_lost(self):
        run_dir = self.folder / "run"
        run(train_command("--workers", 4, "--data-mode", "sharded", "--rounds", 0, "--epochs", 2, "--run-dir", run_dir),
            env={"RESIST_FAILPOINT": "1:trained:2:kill,3:agreed:3:kill,0:training:5:kill"})
        self.assertEqual({member for generation in generations(run_dir) for member in generation["lost"]}, {0, 1, 3})
        used = [batch for commit in history(run_dir, "commit") for worker in commit["workers"]
                for batch in batches_of(worker)]
        self.assertEqual(len(used), len(set(used)))
        samples = 2 * SAMPLES
        self.assertEqual(sorted(batch for batch in used if batch < samples), list(range(0, samples, BATCH)))
        self.assertEqual(metrics(run_dir)[-1]["samples"], len(used) * BATCH)

    def test_a_run_can_be_replayed_with_the_workers_that_it_lost(self):
        for options in (("--momentum-sync", "carry", "--data-mode", "sharded"), ("--compress", "int6"),
                        ("--balance", "speed", "--min-blocks", 1),
                        ("--outer-momentum", "0.4", "--dealing", "strata"),
                        ("--method", "local-sgd"), ("--method", "data-parallel")):
            with self.subTest(options=options):
                run_dir = self.folder / f"run{'-'.join(map(str, options))}"
                process = start(train_command("--workers", 3, "--rounds", 100000, "--checkpoint-every", 3, *options,
                                              "--run-dir", run_dir),
                                env={"RESIST_FAILPOINT": "1:trained:3:kill,0:staged:60:kill"})
                self.addCleanup(process.kill)
                self.wait_for(lambda: self.changed(run_dir) == ({0, 1}, {3, 4}), process)
                process.send_signal(signal.SIGTERM)
                process.communicate(timeout=DEADLINE)
                rounds = metrics(run_dir)[-1]["round"]
                # Fewer workers go on with it, and one of them is lost as well.
                run([RESIST, "train", "--resume", run_dir, "--workers", 2, "--restarts", 0, "--rounds", rounds + 4],
                    env={"RESIST_FAILPOINT": f"1:staged:{rounds + 2}:kill"})
                self.assertEqual(generations(run_dir)[-1]["lost"], [1])
                again = self.folder / f"again{'-'.join(map(str, options))}"
                replayed = run([RESIST, "train", "--replay-membership", run_dir, "--run-dir", again])
                self.assertIn(f"{rounds + 4} rounds replayed with the same bits", replayed.stdout)
                self.assertEqual(checkpoint(run_dir), checkpoint(again))

    def changed(self, run_dir):
        """Who was lost, and who joined."""
        changes = generations(run_dir)
        return tuple({worker for change in changes for worker in change[what]} for what in ("lost", "joined"))

    def test_a_run_that_stopped_with_too_few_workers_can_be_replayed(self):
        run_dir = self.folder / "run"
        run(train_command("--workers", "3:3", "--run-dir", run_dir), check=75,
            env={"RESIST_FAILPOINT": "1:trained:3:kill"})
        run([RESIST, "train", "--resume", run_dir, "--workers", 2, "--rounds", 6])
        replayed = run([RESIST, "train", "--replay-membership", run_dir, "--run-dir", self.folder / "again"])
        self.assertIn("6 rounds replayed with the same bits", replayed.stdout)
        result = run([RESIST, "train", "--replay-membership", run_dir, "--rounds", 9], check=2)
        self.assertIn("--rounds", self.one_line(result))

    def test_a_replay_that_comes_out_differently_says_so(self):
        run_dir = self.folder / "run"
        run(train_command("--workers", 2, "--run-dir", run_dir))
        file = run_dir / "history.jsonl"
        lines = file.read_text().splitlines()
        shared = history(run_dir, "commit")[2]["shared"]
        file.write_text("\n".join(line.replace(shared, "0" * 32) for line in lines) + "\n")
        result = run([RESIST, "train", "--replay-membership", run_dir, "--run-dir", self.folder / "again"], check=1)
        self.assertIn("round 3 is the first whose result differs", result.stderr)
        file.write_text("\n".join(lines[:2] + lines[3:]) + "\n")
        result = run([RESIST, "train", "--replay-membership", run_dir, "--run-dir", self.folder / "third"], check=2)
        self.assertIn("from round 1 to round 3", result.stderr)
        self.assertFalse((self.folder / "third").exists())
        result = run([RESIST, "train", "--replay-membership", run_dir, "--seed", 9], check=2)
        self.assertIn("--seed", result.stderr)

    def test_a_run_goes_on_with_the_blocks_that_its_workers_had_agreed_on(self):
        run_dir = self.folder / "run"
        run(train_command("--workers", 3, "--balance", "speed", "--min-blocks", 1, "--rounds", 6, "--run-dir", run_dir))
        agreed = metrics(run_dir)[-1]["next_blocks"]
        manifest = json.loads((run_dir / "checkpoints" / "round-000006" / "manifest.json").read_text())
        self.assertEqual(manifest["hands"], agreed)
        self.assertEqual([len(paces) for paces in manifest["paces"]], [5, 5, 5])
        run([RESIST, "train", "--resume", run_dir, "--rounds", 7])
        last = metrics(run_dir)[-1]
        self.assertEqual(last["workers"]["blocks"], agreed)
        self.assertEqual(sum(hand[0] for hand in last["next_blocks"]), 6)
        evaluation(run_dir)

    def test_a_failpoint_that_makes_no_sense_is_refused(self):
        result = run(train_command("--workers", 2, "--run-dir", self.folder / "run"), check=2,
                     env={"RESIST_FAILPOINT": "1:nowhere:2:kill"})
        self.assertIn("RESIST_FAILPOINT", result.stderr)


if __name__ == "__main__":
    unittest.main()

"""The model that scripts/fault-lab holds runs against: a sound run is taken, and every kind of fault is seen."""
import copy
import json
import sys
import tempfile
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "scripts" / "lib"))
from run_checker import attempts_of, check_batches, check_generations, check_journals, check_rounds, check_run  # noqa: E402


def generation(number, members, round_number, lost=(), joined=(), lost_blocks=()):
    return {"event": "generation", "generation": number, "members": list(members), "round": round_number,
            "lost": list(lost), "joined": list(joined), "lost_blocks": [{"block": block, "rounds": 1} for block in lost_blocks]}


def commit(number, members, round_number, blocks, shared=None):
    return {"generation": number, "members": list(members), "round": round_number,
            "shared": shared or f"s{round_number}",
            "blocks": {str(block): f"b{block}r{round_number}" for block in blocks}}


START = {"event": "start", "round": 0, "workers": 3}
METRICS = [{"round": number, "samples": 10 * number} for number in range(1, 6)]
# Three workers; 1 is lost in round 2, 3 joins after it, 0 is lost in round 4.
HISTORY = [generation(1, [0, 2], 2, lost=[1]), generation(2, [0, 2, 3], 2, joined=[3]),
           generation(4, [2, 3], 4, lost=[0])]
JOURNALS = {0: [commit(0, [0, 1, 2], 1, [0, 1]), commit(1, [0, 2], 2, [0, 1]), commit(2, [0, 2, 3], 2, [0]),
                commit(2, [0, 2, 3], 3, [1])],
            1: [commit(0, [0, 1, 2], 1, [1, 2])],
            2: [commit(0, [0, 1, 2], 1, [0, 2]), commit(1, [0, 2], 2, [1, 2]), commit(2, [0, 2, 3], 2, [1]),
                commit(2, [0, 2, 3], 3, [2]), commit(4, [2, 3], 4, [0, 1])],
            3: [commit(2, [0, 2, 3], 2, [2]), commit(2, [0, 2, 3], 3, [0]), commit(4, [2, 3], 4, [2])]}


class Rounds(unittest.TestCase):
    def test_a_sound_run_is_taken(self):
        self.assertEqual(check_rounds(METRICS), [])

    def test_a_round_that_is_there_twice_or_misses_is_seen(self):
        self.assertIn("line 3 of the metrics is round 2", check_rounds(METRICS[:2] + METRICS[1:])[0])
        self.assertIn("line 2 of the metrics is round 3", check_rounds(METRICS[:1] + METRICS[2:])[0])

    def test_a_round_without_samples_is_seen(self):
        self.assertEqual(check_rounds([METRICS[0], {"round": 2, "samples": 10}]), ["round 2 has no samples"])


class Batches(unittest.TestCase):
    """Rounds of two workers with two iterations; batches of 8."""

    def commit(self, round_number, *batches):
        return {"event": "commit", "round": round_number,
                "workers": [{"worker": worker, "iterations": sum(run[2] for run in runs), "batches": runs}
                            for worker, runs in enumerate(batches)]}

    def wrong(self, *commits, changes=()):
        return " ".join(check_batches([*changes, *commits], 8))

    def test_a_sound_run_is_taken_and_so_are_batches_that_come_back(self):
        first = self.commit(1, [[0, 16, 2]], [[8, 16, 2]])
        self.assertEqual(self.wrong(first, self.commit(2, [[32, 16, 2]], [[40, 16, 2]])), "")
        lost = [generation(1, [0], 1, lost=[1])]
        self.assertEqual(self.wrong(first, self.commit(2, [[32, 16, 2]]), changes=lost), "")
        later = [self.commit(number, [[64 + 16 * (number - 4), 8, 2]]) for number in range(4, 8)]
        self.assertEqual(self.wrong(first, self.commit(2, [[32, 16, 2]]), self.commit(3, [[40, 16, 2]]), *later,
                                    changes=lost), "")

    def test_a_batch_that_is_there_twice_or_not_at_all_is_seen(self):
        first = self.commit(1, [[0, 16, 2]], [[8, 16, 2]])
        self.assertIn("the batch at 24 is in rounds 1 and 2", self.wrong(first, self.commit(2, [[24, 8, 2]])))
        self.assertIn("the batches at [32] are in no round", self.wrong(first, self.commit(2, [[40, 8, 2]])))

    def test_other_iterations_than_batches_are_seen(self):
        one = self.commit(1, [[0, 8, 2]])
        one["workers"][0]["iterations"] = 3
        self.assertIn("2 batches in round 1, but 3 iterations", self.wrong(one))


class Generations(unittest.TestCase):
    def wrong(self, history):
        return " ".join(check_generations(attempts_of([START, *history])))

    def test_a_sound_run_is_taken(self):
        self.assertEqual(self.wrong(HISTORY), "")
        self.assertEqual(self.wrong([]), "")

    def test_losses_that_came_before_all_had_heard_may_be_told_of_at_once(self):
        self.assertEqual(self.wrong([generation(3, [0, 2], 1, lost=[1, 3], joined=[3])]), "")

    def test_members_that_do_not_follow_are_seen(self):
        self.assertIn("[5], who did not join", self.wrong([generation(1, [0, 1, 2, 5], 1)]))
        self.assertIn("[1], who were not lost", self.wrong([generation(1, [0, 2], 1)]))
        self.assertIn("members [2, 0]", self.wrong([generation(1, [2, 0], 1, lost=[1])]))
        self.assertIn("members []", self.wrong([generation(1, [], 1, lost=[0, 1, 2])]))

    def test_who_was_lost_does_not_come_back(self):
        back = HISTORY + [generation(5, [1, 2, 3], 4, joined=[1])]
        self.assertIn("[1], who had been lost", self.wrong(back))

    def test_going_back_is_seen(self):
        self.assertIn("goes back from round 4 to 3", self.wrong(HISTORY + [generation(5, [2], 3, lost=[3])]))

    def test_generations_begin_anew_only_where_the_job_does(self):
        again = generation(1, [0, 2], 5, lost=[1])
        self.assertEqual([len(generations) for _, generations in attempts_of([START, *HISTORY, START, again])], [3, 1])
        self.assertEqual(self.wrong([*HISTORY, START, again]), "")
        self.assertIn("generation 1 comes after generation 4", self.wrong([*HISTORY, again]))

    def test_a_job_that_is_started_again_does_not_go_back(self):
        self.assertIn("goes back from round 4 to 3", self.wrong([*HISTORY, START, generation(1, [0, 2], 3, lost=[1])]))


class Journals(unittest.TestCase):
    def wrong(self, change=None, history=()):
        journals = copy.deepcopy(JOURNALS)
        if change:
            change(journals)
        return " ".join(check_journals(journals, history or HISTORY))

    def test_a_sound_run_is_taken(self):
        self.assertEqual(self.wrong(), "")

    def test_two_versions_of_a_block_are_seen(self):
        self.assertIn("another version of block 2", self.wrong(lambda all_: all_[2][0]["blocks"].update({"2": "x"})))

    def test_a_round_that_two_generations_committed_is_seen(self):
        split = [commit(1, [1], 2, [0, 1, 2], shared="x")]
        self.assertIn("another version of the shared parameters", self.wrong(lambda all_: all_[1].extend(split)))

    def test_a_block_that_nobody_holds_is_seen(self):
        self.assertIn("nobody holds blocks ['2'] after round 4", self.wrong(lambda all_: all_[3][2].update(blocks={})))

    def test_a_block_that_was_lost_has_another_version_from_then_on(self):
        history = HISTORY[:2] + [generation(4, [2, 3], 3, lost=[0], lost_blocks=[1])]

        def lose(journals):
            journals[2][4] = commit(4, [2, 3], 3, [0, 1])
            journals[2][4]["blocks"]["1"] = "of the checkpoint"
            journals[3][2] = commit(4, [2, 3], 3, [2])

        self.assertEqual(self.wrong(lose, history), "")
        self.assertIn("another version of block 1", self.wrong(lose))

    def test_going_back_and_other_members_are_seen(self):
        self.assertIn("goes back", self.wrong(lambda all_: all_[0].append(all_[0][0])))
        self.assertIn("other members", self.wrong(lambda all_: all_[3][1].update(members=[2, 3])))
        self.assertIn("is in generation 1", self.wrong(lambda all_: all_[3].insert(0, all_[0][1])))


class Run(unittest.TestCase):
    def test_files_are_read_and_a_missing_checkpoint_is_seen(self):
        with tempfile.TemporaryDirectory() as folder:
            run_dir, journal = Path(folder) / "run", Path(folder) / "journal"
            (run_dir / "checkpoints" / "round-000004").mkdir(parents=True)
            journal.mkdir()
            for name, lines in (("metrics", METRICS), ("history", [START, *HISTORY])):
                (run_dir / f"{name}.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
            for worker, lines in JOURNALS.items():
                text = "".join(json.dumps(line) + "\n" for line in lines)
                (journal / f"worker-{worker}.jsonl").write_text(text + '{"cut off')
            self.assertEqual(check_run(run_dir, [journal]), ["the last round, 5, has no checkpoint"])
            (run_dir / "checkpoints" / "round-000005").mkdir()
            self.assertEqual(check_run(run_dir, [journal]), [])
            self.assertIn("started 2 times, its history says 1", check_run(run_dir, [journal, journal])[0])
            (journal / "worker-1.jsonl").write_text(json.dumps(commit(0, [0, 1, 2], 1, [1], shared="x")) + "\n")
            self.assertIn("another version", check_run(run_dir, [journal])[0])


if __name__ == "__main__":
    unittest.main()

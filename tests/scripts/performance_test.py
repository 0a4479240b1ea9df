"""The pages of figures are what the kept results say."""
import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "bench"))
import performance  # noqa: E402


class Pages(unittest.TestCase):
    def test_they_are_what_the_results_say(self):
        self.assertEqual(performance.PAGE.read_text(), performance.page(), "write it anew: bench/performance.py report")
        text = performance.RELIABILITY.read_text()
        self.assertEqual(text, performance.with_faults(text), "write it anew: bench/performance.py report")


if __name__ == "__main__":
    unittest.main()

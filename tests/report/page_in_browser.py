"""The page of `resist report` and `resist serve`, looked at by a browser: headless Chromium driven by Selenium, Debian's
packages chromium, chromium-driver and python3-selenium. Skipped where one of them is missing."""
import json
import os
import shutil
import signal
import subprocess
import sys
import time
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "end_to_end"))
import support  # noqa: E402
from runs import append, make_run, record, write_config  # noqa: E402

try:
    from selenium import webdriver
    from selenium.webdriver.chrome.service import Service
    from selenium.webdriver.common.action_chains import ActionChains
    from selenium.webdriver.common.by import By
    from selenium.webdriver.common.keys import Keys
except ImportError:
    webdriver = None

PHONE = {"width": 360, "height": 740, "deviceScaleFactor": 2, "mobile": True}
DESK = {"width": 1280, "height": 900, "deviceScaleFactor": 1, "mobile": False}


def program(*names):
    return next((path for path in map(shutil.which, names) if path), None)


def what_is_missing():
    """Why there can be no browser here, or None."""
    if webdriver is None:
        return "python3-selenium is not installed"
    if program("chromium") is None:
        return "chromium is not installed"
    if program("chromedriver") is None:
        return "chromium-driver is not installed"
    return None


class BrowserTestCase(support.TestCase):
    @classmethod
    def setUpClass(cls):
        reason = what_is_missing()
        if reason:
            raise unittest.SkipTest(reason)
        options = webdriver.ChromeOptions()
        options.binary_location = program("chromium")
        for argument in ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run"):
            options.add_argument(argument)
        options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
        cls.browser = webdriver.Chrome(service=Service(program("chromedriver")), options=options)
        cls.addClassCleanup(cls.browser.quit)
        cls.browser.set_script_timeout(support.DEADLINE)

    def setUp(self):
        super().setUp()
        self.messages = []
        self.screen(DESK)
        self.color_scheme("light")

    def screen(self, metrics):
        self.browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)

    def color_scheme(self, value):
        self.browser.execute_cdp_cmd("Emulation.setEmulatedMedia",
                                     {"features": [{"name": "prefers-color-scheme", "value": value}]})

    def js(self, code, *arguments):
        return self.browser.execute_script(code, *arguments)

    def until(self, what, condition):
        end = time.monotonic() + support.DEADLINE
        while not condition():
            self.assertLess(time.monotonic(), end, f"waited in vain until {what}")
            time.sleep(0.05)

    def report(self, *run_dirs):
        """Writes a report and opens it as a file."""
        page = self.folder / "report.html"
        support.run([support.RESIST, "report", *run_dirs, "-o", page])
        self.open(page.as_uri())

    def open(self, address):
        self.console()  # what came before belongs to another page
        self.browser.get(address)
        self.until("the page is drawn", lambda: self.js("return window.report !== undefined"))

    def console(self):
        return [entry["message"] for entry in self.browser.get_log("browser")]

    def text(self, css):
        return self.js("return document.querySelector(arguments[0]).textContent", css)

    def hover(self, plot, share):
        """Moves the cursor over a plot, to a share of its width; the text of the box that is then beside it."""
        over = self.js("const over = report.plots[arguments[0]].over; over.scrollIntoView({block: 'center'});"
                       "return over", plot)
        width = self.js("return arguments[0].clientWidth", over)
        ActionChains(self.browser).move_to_element_with_offset(over, round((share - 0.5) * width), 0).perform()
        box = over.find_element(By.CSS_SELECTOR, ".tooltip")
        self.until("there is a box beside the cursor", box.is_displayed)
        return box.text

    def points(self, plot, series=1):
        """The points that a curve has, without the places that belong to other curves."""
        xs, ys = self.js("const data = report.plots[arguments[0]].data; return [data[0], data[arguments[1]].map("
                         "(y) => y === undefined ? 'none' : y)]", plot, series)
        return [(x, y) for x, y in zip(xs, ys) if y != "none"]

    def assert_points(self, found, expected):
        self.assertEqual(len(found), len(expected))
        for (x, y), (wanted_x, wanted_y) in zip(found, expected):
            self.assertAlmostEqual(x, wanted_x, delta=1e-6 * abs(wanted_x))
            if wanted_y is None:
                self.assertIsNone(y)
            else:
                self.assertAlmostEqual(y, wanted_y, delta=1e-6)


class ReportTest(BrowserTestCase):
    def test_curves_have_the_points_of_the_runs(self):
        records = make_run(self.folder / "a")
        make_run(self.folder / "b", rounds=9, method="local-sgd")
        self.report(self.folder / "a", self.folder / "b")
        seconds = sent = 0
        along = {"seconds": [], "samples": [], "bytes": []}
        for line in records:
            seconds += line["seconds_compute"] + line["seconds_sync"] + line["seconds_evaluation"]
            sent += line["bytes_sent"]
            for axis, value in (("seconds", seconds), ("samples", line["samples"]), ("bytes", sent)):
                along[axis].append(value)
        for axis, xs in along.items():
            evaluated = [(x, line["accuracy"]) for x, line in zip(xs, records) if "accuracy" in line]
            self.assert_points(self.points(f"accuracy-{axis}"), evaluated)
            losses = self.points(f"loss-{axis}")
            # A loss that was not finite is a gap, also where the other run has points within it.
            finite = [(x, y) for x, y in losses if y is not None]
            self.assert_points(finite, [(x, line["loss"]) for x, line in zip(xs, records) if line["loss"] is not None])
            gaps = [x for x, y in losses if y is None]
            self.assertTrue(any(abs(x - xs[2]) <= 1e-6 * x for x in gaps), gaps)
        self.assertEqual(self.console(), [])

    def test_canvases_are_painted(self):
        make_run(self.folder / "a")
        make_run(self.folder / "b", method="local-sgd")
        self.report(self.folder / "a", self.folder / "b")
        names = self.js("return Object.keys(report.plots)")
        self.assertCountEqual(names, [f"{measure}-{axis}" for measure in ("accuracy", "loss")
                                      for axis in ("seconds", "samples", "bytes")]
                              + ["rounds-0", "rounds-1", "blocks-0"])
        for name in names:
            colours = self.js("""
              const canvas = report.plots[arguments[0]].ctx.canvas;
              const pixels = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data;
              const seen = new Set();
              for (let i = 0; i < pixels.length; i += 4) if (pixels[i + 3] === 255)
                seen.add(pixels.slice(i, i + 3).join());
              return seen.size""", name)
            self.assertGreater(colours, 1, name)

    def test_runs_keep_their_colour_and_hide(self):
        make_run(self.folder / "a")
        make_run(self.folder / "b")
        self.report(self.folder / "a", self.folder / "b")
        strokes = self.js("return ['accuracy-bytes', 'accuracy-seconds', 'accuracy-samples'].map((name) =>"
                          " report.plots[name].series.slice(1).map((line) => line.stroke()))")
        self.assertEqual(strokes[0], strokes[1])
        self.assertEqual(strokes[0], strokes[2])
        self.assertNotEqual(strokes[0][0], strokes[0][1])
        self.browser.find_element(By.CSS_SELECTOR, "#runs button").click()
        self.assertEqual(self.js("return report.plots['loss-seconds'].series.slice(1).map((line) => line.show)"),
                         [False, False, True, True])

    def test_light_and_dark(self):
        make_run(self.folder / "a")

        def brightness():
            return self.js("return getComputedStyle(document.body).backgroundColor.match(/\\d+/g).map(Number)"
                           ".reduce((a, b) => a + b)")

        self.report(self.folder / "a")
        self.assertGreater(brightness(), 600)
        light = self.js("return report.plots['loss-seconds'].series[1].stroke()")
        self.color_scheme("dark")
        self.until("the page follows the system", lambda: brightness() < 150)
        self.assertNotEqual(self.js("return report.plots['loss-seconds'].series[1].stroke()"), light)
        self.browser.find_element(By.ID, "theme").click()
        self.assertGreater(brightness(), 600)
        self.browser.refresh()
        self.assertGreater(brightness(), 600, "the choice is kept")
        self.browser.find_element(By.ID, "theme").click()
        self.assertLess(brightness(), 150)
        self.color_scheme("light")
        self.until("the system's theme counts again", lambda: brightness() > 600)
        self.assertEqual(self.console(), [])

    def test_phone_needs_no_sideways_scrolling(self):
        make_run(self.folder / "a-run-with-quite-a-long-name-that-does-not-break", rounds=40, workers=8)
        make_run(self.folder / "b", method="local-sgd")
        self.screen(PHONE)
        self.report(self.folder / "a-run-with-quite-a-long-name-that-does-not-break", self.folder / "b")
        for width in (PHONE["width"], 320):
            self.screen({**PHONE, "width": width})
            # A plot and the box beside its cursor follow the window in frames of their own.
            self.until(f"plots fit {width} pixels",
                       lambda: self.js("return Math.max(...Object.values(report.plots).map((plot) => plot.width))") < width
                       and self.js("return document.documentElement.scrollWidth") <= width)
            for name in ("accuracy-seconds", "loss-bytes", "blocks-0", "rounds-1"):
                self.hover(name, 0.95)
                self.assertLessEqual(self.js("return document.documentElement.scrollWidth"), width, f"box at {name}")

    def test_a_box_beside_the_cursor_names_the_values(self):
        make_run(self.folder / "a")
        self.report(self.folder / "a")
        self.assertIn("a 85.71 % round 6", self.hover("accuracy-seconds", 0.99))
        self.assertIn("not finite", self.hover("loss-samples", 3 * 256 / (6 * 256)))
        box = self.hover("blocks-0", 0.95)
        self.assertIn("round 6", box)
        self.assertIn("worker", box)
        self.assertIn("computing", self.hover("rounds-0", 0.5))

    def test_dragging_zooms_in_and_two_clicks_go_back(self):
        make_run(self.folder / "a")
        self.report(self.folder / "a")

        def ends():
            return self.js("return ['min', 'max'].map((end) => report.plots['loss-samples'].scales.x[end])")

        whole = ends()
        over = self.browser.find_element(By.CSS_SELECTOR, "#plot-loss-samples .u-over")
        self.js("arguments[0].scrollIntoView({block: 'center'})", over)
        ActionChains(self.browser).move_to_element(over).click_and_hold().move_by_offset(60, 0).release().perform()
        self.until("it is zoomed", lambda: ends() != whole)
        self.assertGreater(ends()[0], whole[0])
        self.assertLess(ends()[1], whole[1])
        ActionChains(self.browser).double_click(over).perform()
        self.until("it is whole again", lambda: ends() == whole)

    def test_a_logarithmic_axis(self):
        make_run(self.folder / "a")
        make_run(self.folder / "b", rounds=100)
        self.report(self.folder / "a", self.folder / "b")
        distribution = "return report.plots['accuracy-samples'].scales.x.distr"
        self.assertEqual(self.js(distribution), 3, "one run is 16 times as long")
        self.browser.find_elements(By.CSS_SELECTOR, "#plot-accuracy-samples button")[1].click()
        self.assertEqual(self.js(distribution), 1)
        self.assertEqual(self.js("return logTicks(2e9, 3e12)"), [1e10, 1e11, 1e12])
        self.assertEqual(self.js("return logTicks(300, 4000)"), [500, 1000, 2000])
        self.assertEqual(self.console(), [])

    def test_numbers_are_written_as_people_read_them(self):
        make_run(self.folder / "a")
        self.report(self.folder / "a")
        for kind, value, text in (
                ("share", 0.87934, "87.93 %"), ("bytes", 0, "0 B"), ("bytes", 999, "999 B"), ("bytes", 999_600, "1.00 MB"),
                ("bytes", 95_230_000, "95.2 MB"), ("seconds", 0, "0.00 s"), ("seconds", 0.2134, "213 ms"),
                ("seconds", 65.32, "65.3 s"), ("seconds", 725, "12 min 5 s"), ("seconds", 3 * 3600 + 720, "3 h 12 min"),
                ("seconds", 50 * 3600, "2 d 2 h"), ("count", 60000, "60 000"), ("number", 0.21057, "0.2106"),
                ("number", 0.0000123456, "1.235e-5"), ("number", 0, "0")):
            with self.subTest(kind=kind, value=value):
                written = self.js("return format.value(arguments[0], arguments[1])", kind, value)
                self.assertEqual(written.replace("\u202f", " "), text)
        self.assertEqual(self.js("return [format.ratio('bytes', 5, 2), format.ratio('share', 0.5, 0.51),"
                                 " format.ratio('seconds', 1, 0), format.ticks('share', [0.9, 0.925]),"
                                 " format.ticks('seconds', [0, 1800, 3600]), format.ticks('bytes', [0, 5e8, 1e9])]"),
                         ["\u00d72.50", "\u22121.00", "", ["90.0 %", "92.5 %"], ["0", "30 min", "60 min"],
                          ["0", "0.5 GB", "1 GB"]])

    def test_a_press_copies_a_number_in_full(self):
        records = make_run(self.folder / "a")
        make_run(self.folder / "b", rounds=8)
        self.report(self.folder / "a", self.folder / "b")
        numbers = self.browser.find_elements(By.CSS_SELECTOR, "#figures tbody tr:first-child .number")
        self.assertEqual(len(numbers), 3, "two accuracies and their difference")
        numbers[0].click()
        self.until("it says so", lambda: "copied" in self.text("#toast"))
        self.js("document.body.append(Object.assign(document.createElement('textarea'), {id: 'pasted'}))")
        pasted = self.browser.find_element(By.ID, "pasted")
        pasted.send_keys(Keys.CONTROL, "v")
        self.assertEqual(float(pasted.get_property("value")), records[-1]["accuracy"])

    def test_ratios_follow_the_run_that_is_marked(self):
        make_run(self.folder / "a", rounds=4)
        make_run(self.folder / "b", rounds=8)
        self.report(self.folder / "a", self.folder / "b")

        def ratios():
            return self.js("""
              const row = [...document.querySelectorAll('#figures tbody tr')].find((row) =>
                row.firstChild.textContent === 'samples');
              return [...row.querySelectorAll('small .number')].map((number) => Number(number.dataset.copy))""")

        self.assertEqual(ratios(), [2])
        self.browser.find_elements(By.CSS_SELECTOR, "#figures thead button")[1].click()
        self.assertEqual(ratios(), [0.5])

    def test_names_do_no_harm(self):
        # A folder's name has no slash, but the path that the page shows does.
        folder = self.folder / "<" / "script><img src=x onerror=broken()>&amp;\"'"
        make_run(folder)
        hostile = self.folder / "<!--<script>window.broken = 1"
        make_run(hostile)
        os.chdir(self.folder)
        self.addCleanup(os.chdir, "/")
        self.report(folder, hostile)
        self.assertIsNone(self.js("return window.broken ?? null"))
        self.assertEqual(self.js("return [...document.querySelectorAll('#runs b')].map((name) => name.textContent)"),
                         [folder.name, hostile.name])
        self.assertIn(hostile.name, self.browser.title)
        self.assertEqual(self.console(), [])

    def test_thousands_of_rounds(self):
        make_run(self.folder / "a", rounds=5000, workers=4)
        self.report(self.folder / "a")
        self.assertEqual(len(self.js("return report.plots['loss-seconds'].data[0]")), 5000)
        self.assertLessEqual(len(self.js("return report.plots['rounds-0'].data[0]")), 240)
        self.assertIn("of 5000", self.text("#blocks .slider"))
        # The map's slider moves it to the first rounds.
        self.js("""const slider = document.querySelector('#blocks input');
          slider.value = 0; slider.dispatchEvent(new Event('input'))""")
        self.assertIn("rounds 1 to", self.text("#blocks .slider"))
        self.assertEqual(self.console(), [])

    def test_who_holds_what(self):
        make_run(self.folder / "a", workers=2)
        make_run(self.folder / "b", method="data-parallel")
        self.report(self.folder / "a", self.folder / "b")
        texts = self.js("return [...document.querySelectorAll('#blocks .hint')].map((text) => text.textContent)")
        self.assertIn("In the newest round a worker holds", texts[0])
        self.assertEqual(texts[1], "Every worker holds all 5 blocks in every round.")
        self.assertEqual(self.js("return holdersOf('a0 58', 5)"), [[0], [1], [0], [1], [1]])

    def test_a_run_of_one_worker_sends_nothing(self):
        make_run(self.folder / "a", workers=1)
        metrics = self.folder / "a" / "metrics.jsonl"
        lines = [json.loads(line) for line in metrics.read_text().splitlines()]
        for line in lines:
            line["bytes_sent"] = 0
            line["workers"]["bytes_sent"] = [0]
        metrics.write_text("".join(json.dumps(line) + "\n" for line in lines))
        self.report(self.folder / "a")
        self.assertIn("Not drawn, having sent nothing: a", self.text("#plot-loss-bytes"))
        self.assertEqual(len(self.points("loss-seconds")), len(lines))
        self.assertEqual(self.console(), [])

    def test_a_run_without_evaluations_or_rounds(self):
        write_config(self.folder / "waiting")
        write_config(self.folder / "a")
        append(self.folder / "a", [record(1)])
        self.report(self.folder / "a", self.folder / "waiting")
        self.assertIn("No run was evaluated yet", self.text("#accuracy"))
        self.assertIn("waiting: no round yet", self.text("#notes"))
        self.assertEqual(len(self.points("loss-samples")), 1)
        self.assertEqual(self.console(), [])

    def test_needs_no_network(self):
        make_run(self.folder / "a")
        self.report(self.folder / "a")
        self.assertEqual(self.js("return performance.getEntriesByType('resource').filter((entry) =>"
                                 " !entry.name.startsWith('data:')).map((entry) => entry.name)"), [])


class LiveTest(BrowserTestCase):
    def serve(self, *run_dirs):
        """Starts the server; its process and address."""
        process = subprocess.Popen([support.RESIST, "serve", *map(str, run_dirs), "--port", "0"], stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE, text=True)
        self.addCleanup(process.communicate)
        self.addCleanup(process.kill)
        return process, process.stdout.readline().split()[0]

    def test_follows_a_run_that_trains(self):
        run = self.folder / "a"
        write_config(run)
        process, address = self.serve(run)
        self.open(address)
        self.assertEqual(self.text("#live"), "live")
        self.assertIn("a: no round yet", self.text("#notes"))
        self.assertIn("no round yet", self.text("#runs"))

        append(run, [record(1), record(2, accuracy=0.5)])
        self.until("the first rounds are there", lambda: self.js("return 'accuracy-samples' in report.plots"))
        self.assert_points(self.points("accuracy-samples"), [(512, 0.5)])
        self.js("report.plots['loss-samples'].mark = 1")

        for number in range(3, 7):
            append(run, [record(number, accuracy=0.5 + number / 20)])
        self.until("more rounds are there", lambda: len(self.points("accuracy-samples")) == 5)
        self.assertIn("round 6", self.text("#runs"))
        self.assertTrue(self.js("return document.getElementById('notes').hidden"))
        self.assertEqual(self.js("return report.plots['loss-samples'].mark"), 1, "the plot stays, its data is replaced")
        self.assertEqual(self.console(), [])

        process.send_signal(signal.SIGINT)
        process.wait(timeout=support.DEADLINE)
        self.until("the loss is seen", lambda: self.text("#live") == "connection lost")
        self.assertEqual(len(self.points("accuracy-samples")), 5, "what is known stays")

    def test_damaged_metrics_are_named_and_heal(self):
        run = self.folder / "a"
        make_run(run)
        good = (run / "metrics.jsonl").read_text()
        _, address = self.serve(run)
        self.open(address)
        (run / "metrics.jsonl").write_text(good + "nonsense\n")
        self.until("it is named", lambda: "line 7 is not JSON" in self.text("#notes"))
        self.assertEqual(len(self.points("accuracy-samples")), 3)
        (run / "metrics.jsonl").write_text(good + json.dumps(record(7)) + "\n")
        self.until("it is well again", lambda: self.js("return document.getElementById('notes').hidden"))
        self.assertIn("round 7", self.text("#runs"))

    def test_an_empty_folder_becomes_a_run(self):
        run = self.folder / "a"
        run.mkdir()
        _, address = self.serve(run)
        self.open(address)
        self.assertIn("no round yet", self.text("#notes"))
        make_run(run)
        self.until("its rounds are there", lambda: "round 6" in self.text("#runs"))
        self.assertEqual(self.console(), [])


if __name__ == "__main__":
    unittest.main()

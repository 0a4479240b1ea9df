"""`resist doctor` says what is there, and only a thing that is broken makes it fail."""
import json
import socket
import unittest

from support import RESIST, TestCase, run


class Doctor(TestCase):
    def findings(self, *arguments, check=0, env=None):
        answer = json.loads(run([RESIST, "doctor", "--format", "json", *arguments], check=check, env=env,
                                cwd=self.folder).stdout)
        self.assertEqual(answer["healthy"], check == 0)
        return answer["findings"]

    def topic(self, findings, topic):
        found = [finding for finding in findings if finding["topic"] == topic]
        self.assertTrue(found, topic)
        return found

    def test_this_machine_is_fine(self):
        findings = self.findings()
        for topic in ("version", "libtorch", "BLAS", "pictures", "ONNX", "processor", "cores", "memory", "GPU", "disk",
                      "network", "host name", "ports", "data"):
            self.topic(findings, topic)
        self.assertEqual({finding["health"] for finding in findings} - {"ok", "note"}, set())
        self.assertIn("lo", [finding["values"]["interface"] for finding in self.topic(findings, "network")
                             if finding["values"]])
        table = run([RESIST, "doctor"], cwd=self.folder).stdout
        self.assertIn("nothing that training needs is broken", table)
        for finding in findings:
            self.assertIn(finding["topic"], table)

    def test_data_sets_are_found_where_they_lie(self):
        (self.folder / "mnist").mkdir()
        (self.folder / "mnist" / "train-images-idx3-ubyte").write_text("")
        mnist = [finding for finding in self.topic(self.findings("--data-dir", self.folder), "data")
                 if finding["values"]["name"] == "mnist"]
        self.assertEqual(mnist[0]["values"]["folder"], str(self.folder / "mnist"))
        elsewhere = self.findings(env={"RESIST_DATA_DIR": str(self.folder / "nowhere")})
        missing = [finding for finding in self.topic(elsewhere, "data") if finding["values"]["name"] == "mnist"]
        self.assertEqual(missing[0]["health"], "note")
        self.assertIn(str(self.folder / "nowhere"), missing[0]["advice"])

    def test_a_taken_port_is_worth_a_note(self):
        with socket.socket() as taken:
            taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                taken.bind(("", 29500))
            except OSError:
                self.skipTest("the usual rendezvous port is taken by something else")
            taken.listen()
            ports = self.topic(self.findings(), "ports")
        self.assertEqual(ports[0]["health"], "note")
        self.assertIn("--port", ports[0]["advice"])

    def test_an_environment_that_makes_no_sense_is_broken(self):
        findings = self.findings(check=1, env={"RANK": "5", "WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1",
                                               "MASTER_PORT": "29500"})
        launcher = self.topic(findings, "launcher")[0]
        self.assertEqual(launcher["health"], "broken")
        self.assertIn("RANK", launcher["found"])
        table = run([RESIST, "doctor"], check=1, env={"RANK": "5", "WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1",
                                                      "MASTER_PORT": "29500"}, cwd=self.folder).stdout
        self.assertIn("is broken, see above", table)


if __name__ == "__main__":
    unittest.main()

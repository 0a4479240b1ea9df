"""Who may take part: tokens, addresses, strangers at the ports, private files. docs/security.md."""
import os
import resource
import signal
import socket
import stat
import time
import unittest
from pathlib import Path

from support import DEADLINE, TOKEN, Hosts, TestCase, checkpoint, children, free_port, generations, metrics, run, start, \
    torchrun_environment, train_command

ROOT = Path(__file__).resolve().parent.parent.parent
OTHER_TOKEN = TOKEN.upper()
LISTENING = "0A"


def listening(process):
    """(address, port) of every TCP socket on which a process or its children listen; IPv4 addresses in words."""
    places = []
    for pid in [process.pid, *children(process)]:
        owned = set()
        for descriptor in Path(f"/proc/{pid}/fd").iterdir():
            try:
                owned.add(os.readlink(descriptor))
            except FileNotFoundError:
                pass
        for table in ("tcp", "tcp6"):
            for line in Path(f"/proc/{pid}/net/{table}").read_text().splitlines()[1:]:
                fields = line.split()
                if fields[3] == LISTENING and f"socket:[{fields[9]}]" in owned:
                    address, port = fields[1].split(":")
                    words = socket.inet_ntoa(bytes.fromhex(address)[::-1]) if len(address) == 8 else address
                    places.append((words, int(port, 16)))
    return places


class Tokens(TestCase):
    def token_file(self, token, mode=0o600):
        path = self.folder / f"{len(list(self.folder.glob('*.token')))}.token"
        path.write_text(token + "\n")
        path.chmod(mode)
        return path

    def pair(self, first, second, *extra, address="127.0.0.1", options=((), ())):
        """Two workers with these tokens in their environments; exit codes, standard errors."""
        port = free_port()
        processes = [start(train_command(*extra, *options[rank], "--run-dir", self.folder / "run"),
                           env=torchrun_environment(rank, 2, address, port, 1, token))
                     for rank, token in enumerate((first, second))]
        outputs = [process.communicate(timeout=DEADLINE)[1] for process in processes]
        for output in outputs:
            self.assertNotIn(TOKEN, output)
            self.assertNotIn(OTHER_TOKEN, output)
        return [process.returncode for process in processes], outputs

    def test_without_one_no_address_but_loopback_is_used(self):
        codes, outputs = self.pair("", "", address="192.0.2.1")
        self.assertEqual(codes, [2, 2])
        for output in outputs:
            for word in ("192.0.2.1", "openssl rand -hex 32", "--token-file", "RESIST_TOKEN"):
                self.assertIn(word, output)
            self.assertEqual(len(output.splitlines()), 1, output)
        self.assertFalse((self.folder / "run").exists())

    def test_without_one_workers_of_one_machine_meet_on_loopback_whatever_its_name(self):
        port = free_port()
        processes = [start(train_command("--run-dir", self.folder / "run"),
                           env=torchrun_environment(rank, 2, "192.0.2.1", port, 2, "")) for rank in range(2)]
        for process in processes:
            self.assertEqual(process.wait(timeout=DEADLINE), 0, process.communicate()[1])
            process.communicate()

    def test_another_one_is_refused(self):
        codes, outputs = self.pair(TOKEN, OTHER_TOKEN, "--rendezvous-timeout", 5)
        self.assertEqual(codes, [1, 2])
        self.assertIn("another job token", outputs[1])
        self.assertIn("worker 1 did not come", outputs[0])
        self.assertFalse((self.folder / "run").exists())

    def test_files_count_before_the_environment_and_must_be_private(self):
        files = [("--token-file", self.token_file(TOKEN)), ("--token-file", self.token_file(TOKEN))]
        codes, outputs = self.pair(TOKEN, OTHER_TOKEN, options=files)
        self.assertEqual(codes, [0, 0], outputs)
        for path in (self.folder / "run").rglob("*"):
            self.assertFalse(path.is_file() and TOKEN.encode() in path.read_bytes(), path)
        public = self.token_file(TOKEN, mode=0o640)
        line = self.one_line(run(train_command("--workers", 2, "--token-file", public), check=2, cwd=self.folder))
        self.assertIn(f"chmod 600 {public}", line)
        short = self.token_file("secret")
        line = self.one_line(run(train_command("--workers", 2, "--token-file", short), check=2, cwd=self.folder))
        self.assertIn("openssl rand -hex 32", line)

    def test_the_documented_command_makes_one_that_is_taken(self):
        command = (ROOT / "docs" / "security.md").read_text().split("```\n")[1]
        run(["bash", "-c", command], cwd=self.folder)
        made = ("--token-file", self.folder / "job.token")
        codes, outputs = self.pair("", "", options=(made, made))
        self.assertEqual(codes, [0, 0], outputs)

    def test_the_port_of_torchruns_agent_is_left_to_it(self):
        with socket.socket() as agent:
            port = free_port()
            agent.bind(("127.0.0.1", port))
            agent.listen()
            processes = [start(train_command("--run-dir", self.folder / "run"),
                               env={**torchrun_environment(rank, 2, "127.0.0.1", port, 2),
                                    "TORCHELASTIC_USE_AGENT_STORE": "True"}) for rank in range(2)]
            for process in processes:
                _, errors = process.communicate(timeout=DEADLINE)
                self.assertEqual(process.returncode, 0, errors)
            agent.setblocking(False)
            self.assertRaises(BlockingIOError, agent.accept)

    @unittest.skipIf(Hosts.missing(), Hosts.missing())
    def test_two_hosts_train_with_the_same_one_only(self):
        with Hosts(2) as hosts:
            def train(run_dir, *tokens):
                processes = [start(hosts.on(host, train_command("--run-dir", run_dir, "--rendezvous-timeout", 10)),
                                   env=torchrun_environment(host, 2, "10.78.0.1", 29612, 1, tokens[host]))
                             for host in range(2)]
                return [(process.communicate(timeout=DEADLINE)[1], process.returncode) for process in processes]

            same = train(self.folder / "same", TOKEN, TOKEN)
            self.assertEqual([code for _, code in same], [0, 0], same)
            differ = train(self.folder / "differ", TOKEN, OTHER_TOKEN)
            self.assertEqual([code for _, code in differ], [1, 2], differ)
            none = train(self.folder / "none", "", "")
            self.assertEqual([code for _, code in none], [2, 2], none)
        run(train_command("--workers", 2, "--in-process", "--run-dir", self.folder / "threads"))
        self.assertEqual(checkpoint(self.folder / "same"), checkpoint(self.folder / "threads"))


class Strangers(TestCase):
    GARBAGE = (b"\0" * 100_000, b"\xff" * 100_000, b"GET / HTTP/1.1\r\nHost: a\r\n\r\n",
               b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\xff" * 1000, b"\x16\x03\x01\xff\xff" + b"x" * 70_000)

    def wait_for_round(self, process, run_dir, number):
        end = time.monotonic() + DEADLINE
        while metrics(run_dir)[-1]["round"] < number:
            self.assertLess(time.monotonic(), end)
            self.assertIsNone(process.poll(), process.stderr.read() if process.poll() is not None else "")
            time.sleep(0.05)

    def connect(self, address):
        connection = socket.create_connection(address, timeout=30)
        self.addCleanup(connection.close)
        return connection

    def test_a_job_on_one_machine_listens_on_loopback_only(self):
        process = self.started(self.folder / "run", "--workers", 2)
        places = listening(process)
        self.assertIn("127.0.0.1", [address for address, _ in places])
        self.assertEqual({address for address, _ in places}, {"127.0.0.1"}, places)
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=DEADLINE)

    def test_garbage_and_floods_do_not_stop_a_job_nor_its_recovery(self):
        run_dir = self.folder / "run"
        # Few files, so that connections run out before the flood does.
        limits = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (200, limits[1]))
        try:
            process = self.started(run_dir, "--workers", 2)
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, limits)
        for address in listening(process):
            for garbage in self.GARBAGE:
                try:
                    self.connect(address).sendall(garbage)
                except OSError:
                    pass  # closed on us, as it should be
            flood = [self.connect(address) for _ in range(300)]
            self.wait_for_round(process, run_dir, metrics(run_dir)[-1]["round"] + 2)
            for connection in flood:
                connection.close()
        self.wait_for_round(process, run_dir, metrics(run_dir)[-1]["round"] + 5)
        os.kill(children(process)[1], signal.SIGKILL)
        end = time.monotonic() + DEADLINE
        while not generations(run_dir):
            self.assertLess(time.monotonic(), end)
            time.sleep(0.05)
        self.wait_for_round(process, run_dir, metrics(run_dir)[-1]["round"] + 5)
        process.send_signal(signal.SIGTERM)
        _, errors = process.communicate(timeout=DEADLINE)
        self.assertEqual(process.returncode, 75, errors)


class Files(TestCase):
    def test_a_run_folder_is_its_owners_alone(self):
        run_dir = self.folder / "runs" / "run"
        before = os.umask(0)
        try:
            run(train_command("--workers", 2, "--run-dir", run_dir))
        finally:
            os.umask(before)
        self.assertEqual(stat.S_IMODE(run_dir.stat().st_mode), 0o700)


if __name__ == "__main__":
    unittest.main()

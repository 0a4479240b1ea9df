"""Every command of the program, as its own help tells of it."""
import functools
import re

from support import RESIST, run


@functools.cache
def help_of_commands():
    """The help of the program and of every command below it, by the words that choose it: "", "train", "data pack"."""
    found = {}

    def walk(words):
        text = run([RESIST, *words, "--help"]).stdout
        found[" ".join(words)] = text
        if "Subcommands:\n" in text:
            listed = text.split("Subcommands:\n")[1].split("\n\n")[0]
            for name in re.findall(r"^  ([a-z]+) ", listed, re.MULTILINE):
                walk([*words, name])

    walk([])
    return found


def flags_of_commands():
    return {command: set(re.findall(r"(?:^  |,)(--[a-z0-9-]+)", text, re.MULTILINE))
            for command, text in help_of_commands().items()}


def examples_of_commands():
    return {command: [line.strip() for line in text.split("\nExamples:\n")[1].splitlines() if line.startswith("  ")]
            if "\nExamples:\n" in text else [] for command, text in help_of_commands().items()}

#!/usr/bin/env python3
"""studies/results.py: writes docs/results.md from studies/rows/."""
import exchange
import fashion_mnist
from study import ROOT

if __name__ == "__main__":
    text = ["# Results", "", "Written by `studies/results.py` from `studies/rows/`; each row is one finished run.", "",
            *fashion_mnist.section(), *exchange.section()]
    (ROOT / "docs" / "results.md").write_text("\n".join(text))

"""`replica derive`: the theory of a spec as text, LaTeX or JSON."""

from __future__ import annotations

import json
from argparse import Namespace

from replica import latex
from replica.derive import derive
from replica.spec import load
from replica.spec.conventions import conventions
from simulate.cli.screen import print_warnings


def run(options: Namespace) -> int:
    """Derive and print.

    Raises:
        ValueError: what no family can derive, in one line.
    """
    spec = load(options.spec)
    theory = derive(spec)
    if options.json:
        print(json.dumps(latex.to_json(theory), indent=1, ensure_ascii=False))
    elif options.latex:
        lines = "".join(f"% {line}\n" for line in conventions(spec))
        print(lines + latex.latex(theory, steps=options.steps))
    else:
        print("\n".join(conventions(spec)) + "\n")
        print(latex.text(theory, steps=options.steps))
    print_warnings(spec)
    return 0

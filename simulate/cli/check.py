"""`replica check`: what a spec means, or its long form, or its Python."""

from __future__ import annotations

import json
from argparse import Namespace
from dataclasses import asdict

from replica.spec import load
from replica.spec.conventions import conventions
from replica.spec.responsible import responsible
from simulate.cli.screen import print_warnings


def run(options: Namespace) -> int:
    """Print; reading the spec has checked it."""
    spec = load(options.spec)
    if options.json:
        learners = [{key: value for key, value in asdict(found).items() if value} for found in responsible(spec)]
        controls = {name: {"value": value, "domain": str(spec.controls[name].range)} for name, value in spec.at().items()}
        content = {"name": spec.name, "fingerprint": spec.fingerprint, "learners": learners, "controls": controls, "assume": spec.assume}
        if options.expand:
            content["toml"] = spec.expand().to_toml()
        if options.python:
            content["python"] = spec.to_python()
        print(json.dumps({**content, "conventions": conventions(spec)}, indent=1))
    elif options.expand:
        print(spec.expand().to_toml(), end="")
    elif options.python:
        print(spec.to_python(), end="")
    else:
        print(f"{spec.name}\nfingerprint {spec.fingerprint}\n")
        print("\n".join(conventions(spec)))
        print()
        for name, value in spec.at().items():
            table = spec.controls[name]
            print(f"{name:<14} {value:g} in {table.range}" + (f"   {table.meaning}" if table.meaning else ""))
        listed = "every unproved step is listed with the result"
        print(f"\nassume         {listed if spec.assume is None else ' '.join(spec.assume) or 'nothing'}")
    print_warnings(spec)
    return 0

"""Parses the command line, runs one command, and turns every mistake into one line and an exit code.

Each command is a module with `run(options) -> int`, imported when it is asked for: what is heavy is loaded only where it is used.
Exit codes: 0 done; 1 done, and the answer is no; 2 the request or the spec is wrong; 3 a fault of this program; 130 interrupted.
"""

from __future__ import annotations

import argparse
import importlib
import os
import sys
import traceback
import warnings
from collections.abc import Sequence
from typing import Any, NoReturn

from replica.families.model import Underivable
from replica.spec.errors import nearest
from simulate.cli.request import RequestError

YES, NO, WRONG, FAULT, INTERRUPTED = 0, 1, 2, 3, 130
COMMANDS = {
    "list": ("listing", "ingredients and catalog: what a spec can be made of"),
    "check": ("check", "read a spec: family of each learner, its conventions, assumptions"),
    "derive": ("derive", "equations, legend, assumptions; --steps shows the derivation"),
    "solve": ("solve", "order parameters, free entropy and observables"),
    "follow": ("follow", "continuation in a control: branches, folds, transitions, zeros; phase diagrams"),
    "simulate": ("simulate", "draw finite systems, train them, measure"),
    "validate": ("validate", "theory beside simulation, with z-scores and a verdict"),
    "plot": ("plot", "figure of result files"),
    "reproduce": ("reproduce", "a paper: its figures, claims and equations"),
    "learning-curve": ("learning_curve", "a data set: test error against samples, predicted and measured"),
}
EXTRAS = {"torch": "torch", "flint": "certify", "sklearn": "learn"}


class Parser(argparse.ArgumentParser):
    """An argument parser whose errors are one line."""

    def error(self, message: str) -> NoReturn:
        raise RequestError(f"{message} ({self.prog} --help)")


def _parser() -> Parser:
    top = Parser(prog="replica", description="Theory and simulation of learning systems from one declaration.", allow_abbrev=False)
    commands = top.add_subparsers(dest="command", metavar="COMMAND", required=True)
    added = {name: commands.add_parser(name, help=text, description=text, allow_abbrev=False) for name, (_, text) in COMMANDS.items()}
    for parser in added.values():
        parser.add_argument("--debug", action="store_true", help="show the traceback of an error")
    added["list"].add_argument("what", nargs="?", help="priors, channels, losses, ..., catalog; everything when left out")
    for name in ("check", "derive", "solve", "follow", "simulate", "validate"):
        added[name].add_argument("spec", metavar="SPEC", help="a spec file or a name of the catalog")
    for name in ("list", "check", "solve", "follow", "simulate", "validate", "learning-curve"):
        added[name].add_argument("--json", action="store_true", help="print one JSON object and nothing else")
    form = added["check"].add_mutually_exclusive_group()
    form.add_argument("--expand", action="store_true", help="print the spec with all shorthand written out")
    form.add_argument("--python", action="store_true", help="print the spec as Python")
    form = added["derive"].add_mutually_exclusive_group()
    form.add_argument("--latex", action="store_true", help="a LaTeX document")
    form.add_argument("--json", action="store_true", help="print one JSON object and nothing else")
    added["derive"].add_argument("--steps", action="store_true", help="the whole derivation, step by step")
    for name in ("solve", "follow", "simulate", "validate"):
        added[name].add_argument("--set", action="append", default=[], metavar="NAME=VALUE", help="the value of a control; repeatable")
    for name in ("solve", "validate"):
        text = "start:stop:count, log:a:b:n, a list, or NAME alone for the spec's own sweep; repeatable"
        added[name].add_argument("--sweep", action="append", default=[], metavar="NAME=A:B:N", help=text)
    added["solve"].add_argument("--digits", type=int, default=15, help="digits to compute with (more than 15: arbitrary precision)")
    _of_data(added["learning-curve"])
    for name in ("simulate", "validate"):
        added[name].add_argument("--sizes", help="dimensions, e.g. 250,500,1000")
        added[name].add_argument("--seeds", type=int, help="instances per size")
        added[name].add_argument("--algorithm", help="how finite systems are solved")
        added[name].add_argument("--device", choices=("cpu", "cuda"), default="cpu")
        text = "an option of the algorithm (`replica list algorithms`); repeatable"
        added[name].add_argument("--option", action="append", default=[], metavar="NAME=VALUE", help=text)
    added["simulate"].add_argument("--resume", metavar="FOLDER", help="keep runs in this folder, and take up those that are there")
    text = "your own data in place of drawn ones: X and y, .npy or .csv; a DIMACS file where the law is one of clauses"
    added["simulate"].add_argument("--data", nargs="+", metavar="FILE", help=text)
    for name in ("solve", "follow", "simulate", "plot", "reproduce", "learning-curve"):
        added[name].add_argument("-o", "--output", metavar="FILE", help="where the result goes")
    added["follow"].add_argument("--along", metavar="NAME=A:B", help="the control to follow and its range")
    text = "a second control and its range: folds, transitions and zeros are followed in it"
    added["follow"].add_argument("--and", dest="second", metavar="NAME=A:B", help=text)
    added["plot"].add_argument("files", nargs="+", metavar="FILE.nc")
    added["reproduce"].add_argument("paper", metavar="PAPER", help="a name of `replica list papers`")
    added["reproduce"].add_argument("--figure", metavar="NAME", help="this figure alone, without claims and finite systems")
    added["reproduce"].add_argument("--fast", action="store_true", help="few points, small systems")
    return top


def _of_data(parser: argparse.ArgumentParser) -> None:
    """What `learning-curve` takes."""
    parser.add_argument("X", metavar="X", help="features, a row per sample: .npy or .csv")
    parser.add_argument("y", metavar="y", help="labels, two kinds, or numbers with --regression: .npy or .csv")
    text = "logistic, hinge, square, huber, or a formula of the label y and the output z (default: logistic; square with --regression)"
    parser.add_argument("--loss", metavar="NAME", help=text)
    parser.add_argument("--regression", action="store_true", help="labels are numbers to be predicted, scaled to variance 1")
    parser.add_argument(
        "--lambda", dest="strength", type=float, default=1.0, metavar="VALUE", help="ridge on the weights; 1/C of scikit-learn"
    )
    parser.add_argument("--sizes", help="numbers of training samples, e.g. 50,100,200")
    parser.add_argument("--seeds", type=int, help="random subsamples per size")
    parser.add_argument("--positive", metavar="A,B", help="labels that are one class against all others")
    parser.add_argument("--standardize", action="store_true", help="scale every feature to variance 1 first")
    parser.add_argument("--random-features", type=int, metavar="COUNT", help="learn from tanh of so many random projections")
    parser.add_argument("--labels", metavar="LAW", help="clouds or teacher: what the prediction supposes; left out, the likelier one")


def _spread(arguments: Sequence[str]) -> list[str]:
    """`--set a=1 b=2` means `--set a=1 --set b=2`; so for `--sweep` and `--option`."""
    spread: list[str] = []
    option, fresh = "", False
    for word in arguments:
        if word in ("--set", "--sweep", "--option"):
            option, fresh = word, True
        elif option and not fresh and "=" in word and not word.startswith("-"):
            spread.append(option)
        elif not fresh:
            option = ""
        else:
            fresh = False
        spread.append(word)
    return spread


def _say(text: object) -> None:
    print(f"replica: {' '.join(str(text).split())}", file=sys.stderr)


def _sentence(error: BaseException) -> str:
    if isinstance(error, OSError) and error.strerror:
        return f"{error.filename}: {error.strerror}" if error.filename else error.strerror
    return str(error) or type(error).__name__


def _is(error: BaseException, module: str, name: str) -> bool:
    """Whether the error is of a class of a module too heavy to be imported for asking."""
    return module in sys.modules and isinstance(error, getattr(sys.modules[module], name))


def _show_warning(message: Warning | str, category: type[Warning], *_: Any, **__: Any) -> None:
    _say(f"warning: {message}")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run `replica` with these arguments (default: those of the process) and return its exit code."""
    words = _spread(sys.argv[1:] if arguments is None else arguments)
    debug = "--debug" in words
    with warnings.catch_warnings():
        warnings.showwarning = _show_warning
        try:
            if words and words[0] not in (*COMMANDS, "-h", "--help"):
                raise RequestError(f"unknown command '{words[0]}' (commands: {' '.join(COMMANDS)}){nearest(words[0], COMMANDS)}")
            options = _parser().parse_args(words)
            return int(importlib.import_module(f"simulate.cli.{COMMANDS[options.command][0]}").run(options))
        except KeyboardInterrupt as stop:
            _say(str(stop) or "interrupted")
            return INTERRUPTED
        except BrokenPipeError:  # the reader of our output went away, e.g. `| head`
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            return YES
        except Underivable as refusal:  # the spec is sound and theory says no
            _say(refusal)
            return NO
        except (ValueError, OSError, NotImplementedError) as error:  # SpecError, RequestError, NotBuilt, unreadable files: one line each
            if debug:
                traceback.print_exc()
            _say(_sentence(error))
            return WRONG
        except Exception as error:
            if debug:
                traceback.print_exc()
            if _is(error, "numerics.store", "StoreError"):
                _say(error)
                return WRONG
            if _is(error, "numerics.certify", "CertifyError"):
                _say(error)
                return NO
            if isinstance(error, ModuleNotFoundError) and error.name in EXTRAS:
                _say(f"{words[0]} needs {error.name}, which is not installed: pip install 'replica-engine[{EXTRAS[error.name]}]'")
                return WRONG
            _say(f"internal fault, please report it: {type(error).__name__}: {_sentence(error)} (--debug shows where)")
            return FAULT

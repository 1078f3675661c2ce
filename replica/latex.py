"""A theory in words: LaTeX, plain text and JSON, in the ansatz's own names."""

from __future__ import annotations

from typing import Any

import sympy as sp
from sympy.printing.latex import LatexPrinter
from sympy.printing.str import StrPrinter

from replica.nodes import Counting, Discrete, Flat, Gauss, Hazard, Log2Cosh, LogH, Sigmoid, Softplus

_HAT = "_hat"
FUNCTIONS = (LogH, Hazard, Softplus, Sigmoid, Log2Cosh)


def symbol_latex(name: str) -> str:
    """q_hat as \\hat{q}, alpha as \\alpha, h_star as h_\\star."""
    if name.startswith("log "):
        return r"\log " + symbol_latex(name[4:])
    if name.endswith(_HAT):
        return rf"\hat{{{symbol_latex(name[: -len(_HAT)])}}}"
    stem, _, index = name.partition("_")
    greek = sp.latex(sp.Symbol(stem)) if stem else ""
    if not index:
        return greek
    return rf"{greek}_{{\star}}" if index == "star" else rf"{greek}_{{\mathrm{{{index.replace('_', ',')}}}}}"


class _Latex(LatexPrinter):
    def _print_Symbol(self, expr, style="plain"):
        return symbol_latex(expr.name)

    _print_Dummy = _print_Symbol

    def _print_exp(self, e, exp=None) -> str:
        text = self.weight(e.args[0])
        return text if exp is None else rf"\left({text}\right)^{{{exp}}}"

    def weight(self, exponent) -> str:
        """exp(exponent), tails by their name."""
        tails = [t for t in sp.Add.make_args(exponent) if isinstance(t, LogH)]
        rest = exponent - sp.Add(*tails)
        named = [rf"H\left({self._print(t.args[0])}\right)" for t in tails]
        return r"\,".join(named + ([rf"e^{{{self._print(rest)}}}"] if rest != 0 or not tails else []))

    def _print_Gauss(self, m: Gauss) -> str:
        v = ",".join(self._print(x) for x in m.variables)
        if len(m.variables) == 1:
            return rf"{v}\sim\mathcal{{N}}\left({self._print(m.means[0])},{self._print(m.covariance[0, 0])}\right)"
        return rf"({v})\sim\mathcal{{N}}\left(0,{self._print(m.covariance)}\right)"

    def _print_Flat(self, m: Flat) -> str:
        v = self._print(m.variables[0])
        return rf"\mathrm{{d}}{v}" if (m.lower, m.upper) == (-sp.oo, sp.oo) else rf"{v}\in[{self._print(m.lower)},{self._print(m.upper)}]"

    def _print_Discrete(self, m: Discrete) -> str:
        return rf"{self._print(m.variables[0])}\in\{{{','.join(self._print(a) for a in m.atoms_)}\}}"

    def _print_Counting(self, m: Counting) -> str:
        return rf"{self._print(m.variables[0])}=0,1,2,\ldots"


class _Text(StrPrinter):
    """Plain text: E[h ~ N(0, q)]{...} for averages, prox(h) for proximal points."""

    def _print_Symbol(self, expr):
        return expr.name

    _print_Dummy = _print_Symbol

    def _print_Gauss(self, m: Gauss) -> str:
        if len(m.variables) == 1:
            return f"{self._print(m.variables[0])} ~ N({self._print(m.means[0])}, {self._print(m.covariance[0, 0])})"
        return f"({', '.join(map(self._print, m.variables))}) ~ N(0, {m.covariance.tolist()})"

    def _print_Flat(self, m: Flat) -> str:
        v = self._print(m.variables[0])
        return f"d{v}" if (m.lower, m.upper) == (-sp.oo, sp.oo) else f"d{v} in [{self._print(m.lower)}, {self._print(m.upper)}]"

    def _print_Discrete(self, m: Discrete) -> str:
        return f"{self._print(m.variables[0])} in {{{', '.join(map(self._print, m.atoms_))}}}"

    def _print_Counting(self, m: Counting) -> str:
        return f"{self._print(m.variables[0])} = 0, 1, 2, ..."

    def _over(self, node) -> str:
        return f"E[{'; '.join(self._print(m) for m in node.measures)}]"

    def _print_exp(self, e) -> str:
        return self._weight(e.args[0])

    def _weight(self, exponent) -> str:
        """exp(exponent), tails by their name."""
        tails = [t for t in sp.Add.make_args(exponent) if isinstance(t, LogH)]
        rest = exponent - sp.Add(*tails)
        return "*".join([f"H({self._print(t.args[0])})" for t in tails] + ([f"exp({self._print(rest)})"] if rest != 0 or not tails else []))

    def _print_Tilted(self, e) -> str:
        weight = "" if e.exponent == 0 else f"{self._weight(e.exponent)}*"
        top = f"{self._over(e)}{{{weight}{self.parenthesize(e.body, 50)}}}"
        return top if e.exponent == 0 or e.normalised else f"{top} / {self._over(e)}{{exp({self._print(e.exponent)})}}"

    def _print_LogAverage(self, e) -> str:
        return f"log {self._over(e)}{{exp({self._print(e.exponent)})}}"

    def _print_Prox(self, e) -> str:
        return f"prox({self._print(e.h)})"

    def _print_ProxSlope(self, e) -> str:
        return f"prox'({self._print(e.h)})"

    def _print_Moreau(self, e) -> str:
        u = self._print(e.u)
        return f"min_{u}[({u} - {self._print(e.h)})**2/(2*{self._print(e.chi)}) + {self._print(e.loss)}]"

    def _print_Peak(self, e) -> str:
        u = self._print(e.u)
        return f"max_{u}[{self._print(e.h)}*{u} - {self._print(e.V)}*{u}**2/2 - {self._print(e.loss)}]"

    def _print_Leaf(self, e) -> str:
        inside = f"F_{e.species}({self._print(e.h)}; {self._print(e.A)})"
        return f"log {inside}" if e.order == 0 else f"R{e.order}[{inside}]"

    def _print_Equality(self, e) -> str:
        return f"{self._print(e.lhs)} = {self._print(e.rhs)}"


def formula_latex(expression: sp.Basic) -> str:
    """One formula in LaTeX."""
    return str(_Latex({"fold_short_frac": True}).doprint(expression))


def formula_text(expression: sp.Basic) -> str:
    """One formula in plain text."""
    return str(_Text().doprint(expression))


def legend(theory: Any) -> list[tuple[str, str]]:
    """Name and meaning of every unknown and control."""
    unknowns = [(u.name, u.meaning) for u in theory.system.unknowns]
    return unknowns + [(c.name, c.meaning or "control") for c in theory.controls]


def equations(theory: Any) -> list[sp.Basic]:
    """The equations of a theory as equalities."""
    return list(theory.system.formulas())


def text(theory: Any, steps: bool = False) -> str:
    """The theory for a terminal; with `steps`, how it was derived."""
    lines = [theory.name, "=" * len(theory.name), ""]
    if steps:
        for number, step in enumerate(theory.trail, 1):
            lines += [f"{number}. {step.title}", f"   {step.text}"]
            lines += [f"      {formula_text(f)}" for f in step.formulas]
            if step.assumption is not None:
                lines.append(f"   assumes {step.assumption.name}: {step.assumption.sentence}")
            lines.append("")
    lines += ["Equations", *(f"   {formula_text(e)}" for e in equations(theory)), ""]
    if theory.free_entropy is not sp.nan:
        lines += ["Free entropy", f"   Phi = {formula_text(theory.free_entropy)}", ""]
    lines += ["Observables", *(f"   {k} = {formula_text(v)}" for k, v in theory.observables.items()), ""]
    lines += ["Legend", *(f"   {name}: {meaning}" for name, meaning in legend(theory))]
    lines += [f"   {name}: {meaning}" for name, _, meaning in _functions(theory, steps)]
    lines += [f"   {line}" for line in _glossary(theory)]
    lines += ["", "Assumptions", *(f"   {a.name}: {a.sentence}" for a in theory.assumptions)]
    return "\n".join(lines) + "\n"


_LEAF = "one copy of a: for a sample the mean of exp(-beta loss(z)) or likelihood over z ~ N(h, A), for a weight that of exp(h w + A w^2/2)"


def _functions(theory: Any, steps: bool) -> list[tuple[str, str, str]]:
    """Functions of the field that are shown: as text, as LaTeX, in words."""
    shown = sp.Tuple(*equations(theory), theory.free_entropy, *theory.observables.values(), *(
        formula for step in theory.trail if steps for formula in step.formulas
    ))
    kinds = {type(node) for node in sp.preorder_traversal(shown)}
    words = {kind: (kind.__doc__ or "").split("\n")[0].split(";")[0].rstrip(".") for kind in FUNCTIONS if kind in kinds}
    found = [(f"{kind.__name__}(x)", kind.form % "x", meaning) for kind, meaning in words.items()]
    return found + ([("F_a(h; A)", r"F_{a}\left(h;A\right)", _LEAF)] if any(kind.__name__ == "Leaf" for kind in kinds) else [])


def _glossary(theory: Any) -> list[str]:
    """What proximal points in the equations mean, where they occur."""
    from_nodes = sp.Tuple(*equations(theory), theory.free_entropy, *theory.observables.values())
    names = {type(node).__name__: node for node in sp.preorder_traversal(from_nodes)}
    found = []
    for kind in ("Prox", "ProxSlope", "Moreau"):
        if kind in names:
            node = names[kind]
            found.append(
                f"prox(h): argmin over {node.u.name} of ({node.u.name} - h)**2/(2*{formula_text(node.chi)}) + {formula_text(node.loss)}"
            )
            break
    return found


def latex(theory: Any, steps: bool = False) -> str:
    """A LaTeX document: equations, free entropy, observables; with `steps`, the derivation before them."""
    body = [rf"\section*{{{_escape(theory.name)}}}"]
    if steps:
        for step in theory.trail:
            body += [rf"\paragraph{{{_escape(step.title)}}} {_escape(step.text)}"]
            body += [_display(formula_latex(f)) for f in step.formulas]
            if step.assumption is not None:
                body.append(rf"\emph{{Assumes {_escape(step.assumption.name)}: {_escape(step.assumption.sentence)}.}}")
    body += [r"\paragraph{Equations}", *(_display(formula_latex(e)) for e in equations(theory))]
    if theory.free_entropy is not sp.nan:
        body += [r"\paragraph{Free entropy}", _display(r"\Phi = " + formula_latex(theory.free_entropy))]
    body += [
        r"\paragraph{Observables}",
        *(_display(rf"\mathrm{{{_escape(k)}}} = {formula_latex(v)}") for k, v in theory.observables.items()),
    ]
    body += [r"\paragraph{Legend}", r"\begin{itemize}"]
    body += [rf"\item ${symbol_latex(name)}$: {_escape(meaning)}" for name, meaning in legend(theory)]
    body += [rf"\item ${name}$: {_escape(meaning)}" for _, name, meaning in _functions(theory, steps)]
    body += [rf"\item {_escape(line)}" for line in _glossary(theory)]
    body += [r"\end{itemize}", r"\paragraph{Assumptions}", r"\begin{itemize}"]
    body += [rf"\item {_escape(a.name)}: {_escape(a.sentence)}" for a in theory.assumptions]
    body += [r"\end{itemize}"]
    head = [r"\documentclass{article}", r"\usepackage{amsmath,amssymb,breqn,geometry}", r"\geometry{margin=2cm}", r"\begin{document}"]
    return "\n".join([*head, *body, r"\end{document}"]) + "\n"


def _display(formula: str) -> str:
    return "\\begin{dmath*}\n" + formula + "\n\\end{dmath*}"


def _escape(sentence: str) -> str:
    for character in ("\\", "_", "%", "#", "&", "^"):
        sentence = sentence.replace(
            character, rf"\{character}" if character not in "\\^" else {"\\": r"\textbackslash ", "^": r"\^{}"}[character]
        )
    return sentence


def to_json(theory: Any) -> dict[str, Any]:
    """Equations, legend and assumptions as plain data."""
    return {
        "name": theory.name,
        "fingerprint": theory.fingerprint,
        "unknowns": [
            {"name": name, "meaning": meaning, "equation": formula_text(e), "latex": formula_latex(e)}
            for name, meaning, e in theory.system.unknown_equations()
        ],
        "controls": [{"name": c.name, "value": c.value, "domain": str(c.domain), "meaning": c.meaning} for c in theory.controls],
        "free_entropy": formula_text(theory.free_entropy) if theory.free_entropy is not sp.nan else None,
        "observables": {k: formula_text(v) for k, v in theory.observables.items()},
        "assumptions": [{"name": a.name, "sentence": a.sentence} for a in theory.assumptions],
        "steps": [
            {
                "title": s.title,
                "text": s.text,
                "formulas": [formula_text(f) for f in s.formulas],
                "assumption": s.assumption.name if s.assumption is not None else None,
            }
            for s in theory.trail
        ],
    }

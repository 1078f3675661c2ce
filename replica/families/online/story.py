"""The trail of an online derivation."""

from __future__ import annotations

from dataclasses import replace

import sympy as sp

from replica.families.online import names as nm
from replica.families.online.reading import OnlineModel
from replica.nodes import FourSigns, GivenAngle
from replica.theory import Assumption, Definition, Flow, Step, Theory

FRESH = Assumption("fresh_samples", "every sample is seen once, so the weights do not depend on the next input")
GAUSSIAN = Assumption("gaussian_inputs", "given the weights, fields of a new input are jointly Gaussian as d grows")
MEAN = Assumption(
    "concentration", "overlaps change by O(1/d) in a step and follow their mean as d grows, until a saddle amplifies fluctuations"
)
ASSUMPTIONS = (FRESH, GAUSSIAN, MEAN)


def story(model: OnlineModel, theory: Theory) -> Theory:
    """The theory with its trail."""
    y, z, x = (sp.Symbol(name, real=True) for name in ("y", "z", "x"))
    loss = model.loss.formula(y, z)
    output = model.student.output.xreplace({sp.Symbol("x", real=True): nm.lam[nm.k]})
    readout = nm.v[nm.k] if model.student.trained else sp.S.One
    g = sp.Function("g")(nm.lam[nm.k])
    slope = -sp.diff(loss, z).replace(sp.DiracDelta, lambda *_: sp.S.Zero)
    score = readout * slope * sp.Derivative(g, nm.lam[nm.k])
    flow: Flow = theory.system
    steps = [
        Step(
            "One step",
            "w_k moves by eta F_k x/sqrt(d), F_k minus the slope of the loss in the field of unit k",
            (
                sp.Eq(sp.Symbol("loss"), loss, evaluate=False),
                sp.Eq(z, sp.Sum(readout * g, (nm.k, 1, nm.K)), evaluate=False),
                sp.Eq(g, output, evaluate=False),
                sp.Eq(sp.IndexedBase("F")[nm.k], score, evaluate=False),
            ),
            FRESH,
        ),
        Step(
            "Fields",
            "the fields of a new input of cell c have means and covariances made of overlaps",
            _shown(flow.program, "C_Q C_R C_T m_Q m_T"),
            GAUSSIAN,
        ),
        Step(
            "Mean motion",
            "by Stein's lemma the mean step lies along the units and directions whose fields enter the score; A and E are mean slopes "
            "of F_k in those fields, N the mean of F_k F_l",
            _shown(flow.program, "A_k A E F N G S_w S_u"),
            MEAN,
        ),
    ]
    if flow.kernels:
        facts = tuple(sp.Eq(sp.Function(kernel.name)(*kernel.body.free_symbols), kernel.value, evaluate=False) for kernel in flow.kernels)
        text = "moments of x ~ N(m, c), each derived once for all indices"
        if any(kernel.value.has(FourSigns, GivenAngle) for kernel in flow.kernels):
            text += "; S_4 is the mean of a product of four signs, r_kl|ij the correlation of two fields where two others are zero"
        steps.append(Step("Kernels", text, facts))
    if flow.nodes:
        text = (
            "averages without closed form (kinks of fields that have means, more than four signs, functions other than polynomials, error "
            "functions and kinks at zero) run over shared nodes of independent normals (Gauss-Hermite up to three, Sobol beyond)"
        )
        steps.append(Step("Nodes", text))
    return replace(theory, trail=tuple(steps))


def _shown(program: tuple[Definition, ...], names: str) -> tuple[sp.Basic, ...]:
    wanted = names.split()
    found = [d for d in program if str(d.target.base.label) in wanted]
    return tuple(dict.fromkeys(sp.Eq(d.target, d.value, evaluate=False) for d in found))

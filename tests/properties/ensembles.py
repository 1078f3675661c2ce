"""Specs of learners that stand in trees: real replicas, references and probes, broken symmetry, ground states."""

from __future__ import annotations

from functools import cache

from numerics.compile import Module, compile_theory
from replica.derive import derive
from replica.spec import Spec

STUDENT = """
format = 1
name = "{name}"
[student]
protocol = {{ kind = "gibbs", beta = {beta} }}
prior = "{prior}"
loss = {{ kind = "theta", margin = {margin} }}
{student}
[ansatz]
{ansatz}
[controls]
alpha = {{ {alpha}, domain = "(0, inf)" }}
{controls}
"""

DISORDER = """
format = 1
name = "{name}"
{latent}
[data]
law = {law}
[student]
protocol = {{ kind = "gibbs", beta = "beta" }}
prior = "{prior}"
[ansatz]
{ansatz}
[controls]
beta = {{ value = {beta}, domain = "(0, inf]" }}
{controls}
"""

RS = 'kind = "rs"'


def rsb(k: int, x: str = '"free"') -> str:
    return f'kind = "rsb"\nk = {k}\nx = {x}'


def storage(name="storage", prior="binary", margin="0", student="", ansatz=RS, alpha="value = 0.4", controls="", beta="inf") -> Spec:
    return Spec.from_toml(STUDENT.format(**locals()))


def disorder(name="disorder", latent="", law='{ kind = "pspin", p = 2 }', prior="binary", ansatz=RS, beta="inf", controls="") -> Spec:
    return Spec.from_toml(DISORDER.format(**locals()))


def held_steps() -> Spec:
    """Coupled spins with two steps whose Parisi parameters are controls."""
    controls = "\n".join(f'{name} = {{ value = {value}, domain = "(0, 1)" }}' for name, value in (("low", 0.3), ("high", 0.7)))
    return disorder(ansatz=rsb(2, '["low", "high"]'), beta="2.0", controls=controls)


def franz_parisi(alpha: float, overlap: float) -> Spec:
    ensemble = 'ensemble = { kind = "franz_parisi", overlap = "S" }'
    return storage(student=ensemble, alpha=f"value = {alpha}", controls=f'S = {{ value = {overlap}, domain = "(0, 1)" }}')


def robust(alpha: float, overlap: float, y: str, constrained: bool = False) -> Spec:
    ensemble = f'ensemble = {{ kind = "robust", y = "y_real", overlap = "S", constrained = {str(constrained).lower()} }}'
    controls = f'S = {{ value = {overlap}, domain = "(0, 1)" }}\ny_real = {{ value = {y}, domain = "[1, inf]" }}'
    return storage(student=ensemble, alpha=f"value = {alpha}", controls=controls)


def mutual(alpha: float, overlap: float, y: str) -> Spec:
    """Real replicas held at a mutual overlap, nobody gathers them."""
    student = 'copies = "y_real"\ncouple = { to = "student", overlap = "q_mutual" }'
    controls = f'q_mutual = {{ value = {overlap}, domain = "(0, 1)" }}\ny_real = {{ value = {y}, domain = "[1, inf]" }}'
    return storage(student=student, alpha=f"value = {alpha}", controls=controls)


def edge(kappa: float, ansatz: str, condition: str, start: float) -> Spec:
    """alpha at which the solutions on the sphere shrink to a point."""
    alpha = f'solve = "{condition}", value = {start}'
    controls = f'kappa = {{ value = {kappa}, domain = "(-inf, inf)" }}'
    return storage(prior="spherical", margin='"kappa"', ansatz=ansatz, alpha=alpha, controls=controls)


@cache
def compiled(spec: Spec) -> Module:
    return compile_theory(derive(spec))

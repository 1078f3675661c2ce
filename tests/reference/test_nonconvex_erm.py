"""Losses that are not convex under empirical risk minimisation, replica symmetric: saddle-point equations against other routes."""

import math

import numpy as np
import pytest
from scipy import integrate, optimize, stats

from tests.properties.solved import best, module_of, numbers, spec_text

LAMBDA = 'lambda = { value = 1.0, domain = "(0, inf)" }'


def student(loss: str) -> str:
    return f'protocol = "erm"\nloss = {loss}\nregularizer = {{ kind = "ridge", strength = "lambda" }}'


def solved(loss: str, channel: str, **at: float) -> dict[str, float]:
    text = spec_text(student(loss), f'prior = "gaussian"\nchannel = "{channel}"', LAMBDA)
    return numbers(best(module_of(text), **at))


class Proximal:
    """argmin of (z - h)^2/(2 chi) + loss: every stationary point seen on a grid is polished, and the lowest one taken."""

    def __init__(self, loss, slope, chi, kinks):
        self.loss, self.slope, self.chi, self.kinks = loss, slope, chi, kinks

    def __call__(self, h):
        def pull(z):
            return z - h + self.chi * self.slope(z)

        grid = np.linspace(h - 8, h + 8, 161)
        values = pull(grid)
        rising = np.flatnonzero((values[:-1] < 0) & (values[1:] > 0))
        places = [optimize.brentq(pull, grid[i], grid[i + 1], xtol=1e-15) for i in rising]
        places += [z for z, v in zip(grid, values, strict=True) if v == 0] + [k + d for k in self.kinks for d in (-1e-15, 1e-15)]
        return min(places, key=lambda z: (z - h) ** 2 / (2 * self.chi) + self.loss(z))

    def breaks(self, low, high):
        """Fields where the minimiser jumps."""
        fields = np.linspace(low, high, 121)
        points = np.array([self(h) for h in fields])
        found = []
        for i in np.flatnonzero(np.abs(np.diff(points, 2)) > 1e-3):
            a, b = fields[i], fields[i + 2]
            for _ in range(60):
                m = (a + b) / 2
                left, right = self(m) - self(a), self(b) - self(m)
                a, b = (a, m) if left * (b - m) > right * (m - a) else (m, b)
            found.append((a + b) / 2)
        return sorted(found)


CASES = {
    "tanh": ('{ formula = "1 - tanh(y*z)" }', lambda z: 1 - np.tanh(z), lambda z: -1 / np.cosh(z) ** 2, ()),
    "theta": ('{ kind = "theta", margin = 0.5 }', lambda z: float(z < 0.5), lambda z: 0.0 * z, (0.5,)),
}


@pytest.mark.parametrize("strength", [1.0, 0.1])
@pytest.mark.parametrize("name", CASES)
def test_sign_teacher_against_scipy(name, strength):
    """Conjugates at the solution: integrals over the field with the proximal point minimised point by point, the response by Stein."""
    loss, value, slope, kinks = CASES[name]
    found = solved(loss, "sign", alpha=2.0, **{"lambda": strength})
    m, q, chi = (found[k] for k in ("m", "q", "chi"))
    prox = Proximal(value, slope, chi, kinks)
    spread = math.sqrt(1 - m**2 / q)
    a, reach = m / q / spread, 8.5 * math.sqrt(q)
    inner = [k - d for k in kinks for d in (math.sqrt(2 * chi), 0.0)] if name == "theta" else prox.breaks(-reach, reach)
    cuts = sorted([-reach, *(c for c in inner if abs(c) < reach), reach])

    def integrand(h):
        """Of q_hat, of the response (by parts over the field: no slope is needed) and of m_hat."""
        g, weight, turn = (prox(h) - h) / chi, 2 * stats.norm.cdf(a * h), 2 * a * stats.norm.pdf(a * h)
        return stats.norm.pdf(h, scale=math.sqrt(q)) * np.array([weight * g**2, -g * (weight * h / q - turn), g * turn / a / spread])

    def together(fields):
        return np.array([integrand(h) for h in fields]).T

    parts = [integrate.fixed_quad(together, x, z, n=90)[0] for x, z in zip(cuts, cuts[1:], strict=False)]
    q_hat, chi_hat, m_hat = 2.0 * np.sum(parts, axis=0)
    assert found["q_hat"] == pytest.approx(q_hat, rel=1e-9)
    assert found["m_hat"] == pytest.approx(m_hat, rel=1e-9)
    assert found["chi_hat"] == pytest.approx(chi_hat, rel=1e-9)
    assert found["chi"] == pytest.approx(1 / (strength + chi_hat), rel=1e-9)
    assert found["m"] == pytest.approx(chi * m_hat, rel=1e-9)
    assert found["q"] == pytest.approx(chi**2 * (m_hat**2 + q_hat), rel=1e-9)


@pytest.mark.parametrize(("alpha", "strength"), [(2.0, 1.0), (2.5, 0.3)])
def test_phase_retrieval_in_closed_form(alpha, strength):
    """Loss (y - |z|)^2, ridge: state evolution of Lucibello et al., arXiv 1905.05313, in the replica-symmetric limit, by hand."""
    found = solved('{ formula = "(y - abs(z))**2" }', "abs", alpha=alpha, **{"lambda": strength})
    m, q, chi = (found[k] for k in ("m", "q", "chi"))
    c, D = m / math.sqrt(q), 1 + 2 * chi
    s = math.sqrt(1 - c**2)
    assert found["m_hat"] == pytest.approx(4 * alpha * math.asin(c) / (math.pi * D), rel=1e-10)
    assert found["q_hat"] == pytest.approx(4 * alpha / D**2 * (1 + q - 4 / math.pi * math.sqrt(q) * (s + c * math.asin(c))), rel=1e-10)
    assert found["chi_hat"] == pytest.approx(2 * alpha / D * (1 - 2 * s / (math.pi * math.sqrt(q))), rel=1e-10)


def test_a_jump_makes_the_replicon_minus_infinity():
    """Its slope's square is not integrable: replica symmetry is unstable however small the jump."""
    loss = '{ formula = "1 - tanh(y*z)" }'
    smooth, jumping = (solved(loss, "sign", alpha=2.0, **{"lambda": strength}) for strength in (1.0, 0.1))
    critical = 3 * math.sqrt(3) / 4  # 1/max(-l'')
    assert smooth["chi"] < critical < jumping["chi"]
    assert 0 < smooth["replicon"] < 1
    assert jumping["replicon"] == -math.inf

"""Specs drawn at random, each in two forms: formulas for the engine, and numpy functions for the textbook."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from scipy.special import expit, log_ndtr, ndtr

from tests.properties.solved import spec_text
from tests.properties.textbook import Channel, Loss, Penalty, Prior

INFINITY = float("inf")


@dataclass(frozen=True)
class Drawn:
    """One system.

    Args:
        protocol: erm, bayes or gibbs.
        alpha, beta: samples per dimension, inverse temperature (gibbs).
        own: reference measure of a Gibbs student.
    """

    protocol: str
    alpha: float
    prior: Prior
    channel: Channel
    loss: Loss | None = None
    penalty: Penalty | None = None
    beta: float = INFINITY
    own: Prior | None = None

    def text(self) -> str:
        kind = f'{{ kind = "gibbs", beta = {self.beta} }}' if self.protocol == "gibbs" else f'"{self.protocol}"'
        slots = {"loss": self.loss, "regularizer": self.penalty, "prior": self.own}
        student = [f"protocol = {kind}", *(f"{slot} = {piece.text}" for slot, piece in slots.items() if piece)]
        return spec_text("\n".join(student), f"prior = {self.prior.text}\nchannel = {self.channel.text}")

    def __repr__(self) -> str:
        return f"alpha = {self.alpha}\n{self.text()}"


def tenths(low: int, high: int) -> st.SearchStrategy[float]:
    return st.integers(low, high).map(lambda k: k / 10)


# ------------------------------------------------------------------ losses of a sign label, in t = y z


def of_margin(text: str, value, slope, kinks=()) -> Loss:
    """A loss f(y z); `slope` is f', `kinks` values of y z."""
    return Loss(f'{{ formula = "{text}" }}', lambda y, z: value(y * z), lambda y, z: y * slope(y * z), lambda y: [y * k for k in kinks])


@st.composite
def margin_losses(draw) -> Loss:
    a, c, k = draw(tenths(5, 20)), draw(tenths(1, 8)), draw(tenths(2, 12))
    kinds = {
        "mixed": of_margin(
            f"log(1 + exp(-{a}*y*z)) + {c}*(y*z - 1)**2", lambda t: np.logaddexp(0, -a * t) + c * (t - 1) ** 2,
            lambda t: -a * expit(-a * t) + 2 * c * (t - 1),
        ),
        "smooth_hinge": of_margin(
            f"where(y*z < 1 - {c}, 1 - y*z - {c}/2, where(y*z < 1, (1 - y*z)**2/(2*{c}), 0))",
            lambda t: np.where(t < 1 - c, 1 - t - c / 2, np.where(t < 1, (1 - t) ** 2 / (2 * c), 0)),
            lambda t: -np.clip((1 - t) / c, 0, 1), (1 - c, 1.0),
        ),
        "squared_hinge": of_margin(
            f"{a}*max(0, {k} - y*z)**2", lambda t: a * np.maximum(0, k - t) ** 2, lambda t: -2 * a * np.maximum(0, k - t), (k,)
        ),
        "hinge_and_logistic": of_margin(
            f"max(0, {k} - y*z) + {c}*log(1 + exp(-y*z))", lambda t: np.maximum(0, k - t) + c * np.logaddexp(0, -t),
            lambda t: -1.0 * (t < k) - c * expit(-t), (k,),
        ),
        "two_hinges": of_margin(
            f"max(0, {k} - y*z) + {a}*max(0, -y*z)", lambda t: np.maximum(0, k - t) + a * np.maximum(0, -t),
            lambda t: -1.0 * (t < k) - a * (t < 0), (0.0, k),
        ),
        "root": of_margin(
            f"sqrt({a} + (y*z - {k})**2)", lambda t: np.sqrt(a + (t - k) ** 2), lambda t: (t - k) / np.sqrt(a + (t - k) ** 2)
        ),
        "exponential": of_margin(f"exp(-{c}*y*z)", lambda t: np.exp(-c * t), lambda t: -c * np.exp(-c * t)),
        "cosh": of_margin(f"cosh(y - {c}*z)", lambda t: np.cosh(1 - c * t), lambda t: -c * np.sinh(1 - c * t)),
        "log_cosh": of_margin("log(cosh(y - z))", lambda t: np.log(np.cosh(1 - t)), lambda t: -np.tanh(1 - t)),
        "probit": of_margin(
            f"-log(H(-{a}*y*z))", lambda t: -log_ndtr(a * t),
            lambda t: -a * np.exp(-((a * t) ** 2) / 2 - log_ndtr(a * t)) / np.sqrt(2 * np.pi),
        ),
        "quartic": of_margin(
            f"(y*z - 1)**2/2 + {c}*(y*z - 1)**4", lambda t: (t - 1) ** 2 / 2 + c * (t - 1) ** 4, lambda t: t - 1 + 4 * c * (t - 1) ** 3
        ),
    }
    return kinds[draw(st.sampled_from(sorted(kinds)))]


# ------------------------------------------------------------------ losses of a real label, in r = z - y


def of_residual(text: str, value, slope, kinks=()) -> Loss:
    """A loss f(z - y)."""
    return Loss(f'{{ formula = "{text}" }}', lambda y, z: value(z - y), lambda y, z: slope(z - y), lambda y: [y + k for k in kinks])


@st.composite
def residual_losses(draw) -> Loss:
    a, c, tau = draw(tenths(5, 20)), draw(tenths(2, 8)), draw(tenths(2, 8))
    kinds = {
        "root": of_residual(f"sqrt({a} + (y - z)**2)", lambda r: np.sqrt(a + r**2), lambda r: r / np.sqrt(a + r**2)),
        "log_cosh": of_residual("log(cosh(y - z))", lambda r: np.log(np.cosh(r)), np.tanh),
        "quartic": of_residual(f"(y - z)**2/2 + {c}*(y - z)**4", lambda r: r**2 / 2 + c * r**4, lambda r: r + 4 * c * r**3),
        "quantile": of_residual(
            f"max({tau}*(y - z), ({tau} - 1)*(y - z))", lambda r: np.maximum(-tau * r, (1 - tau) * r),
            lambda r: np.where(r > 0, 1 - tau, -tau), (0.0,),
        ),
        "insensitive": of_residual(
            f"max(0, abs(y - z) - {c})", lambda r: np.maximum(0, np.abs(r) - c), lambda r: np.sign(r) * (np.abs(r) > c), (-c, c)
        ),
        "mixed": of_residual(f"abs(y - z) + {c}*(y - z)**2", lambda r: np.abs(r) + c * r**2, lambda r: np.sign(r) + 2 * c * r, (0.0,)),
        "huber": of_residual(
            f"where(abs(y - z) < {a}, (y - z)**2/2, {a}*abs(y - z) - {a}**2/2)",
            lambda r: np.where(np.abs(r) < a, r**2 / 2, a * np.abs(r) - a**2 / 2), lambda r: np.clip(r, -a, a), (-a, a),
        ),
    }
    return kinds[draw(st.sampled_from(sorted(kinds)))]


# ------------------------------------------------------------------ channels


@st.composite
def sign_channels(draw, smooth: bool = False) -> Channel:
    a, b, c, flip = draw(tenths(5, 20)), draw(tenths(-5, 5)), draw(tenths(2, 9)), draw(tenths(1, 3))
    signs = (1.0, -1.0)
    kinds = {
        "sigmoid": Channel(f'{{ density = "sigmoid({a}*y*z)", labels = [-1, 1] }}', lambda y, z: expit(a * y * z), signs),
        "shifted": Channel(f'{{ density = "sigmoid({a}*y*(z - {b}))", labels = [-1, 1] }}', lambda y, z: expit(a * y * (z - b)), signs),
        "probit": Channel(f'{{ density = "Phi({a}*y*z)", labels = [-1, 1] }}', lambda y, z: ndtr(a * y * z), signs),
        "noisy_sign": Channel(f'{{ map = "sign(z + {c}*xi)" }}', lambda y, z: ndtr(y * z / c), signs),
    }
    if not smooth:
        kinds |= {
            "sign": Channel('"sign"', lambda y, z: 1.0 * (y * z > 0), signs, (0.0,)),
            "flipped": Channel(
                f'{{ density = "{flip} + (1 - 2*{flip})*heaviside(y*z)", labels = [-1, 1] }}',
                lambda y, z: np.where(y * z > 0, 1 - flip, flip), signs, (0.0,),
            ),
            "shifted_sign": Channel(f'{{ map = "sign(z - {b})" }}', lambda y, z: 1.0 * (y * (z - b) > 0), signs, (b,)),
        }
    return kinds[draw(st.sampled_from(sorted(kinds)))]


def gauss(x, variance):
    return np.exp(-(x**2) / (2 * variance)) / np.sqrt(2 * np.pi * variance)


@st.composite
def real_channels(draw) -> Channel:
    b, c, eps = draw(tenths(4, 9)), draw(tenths(4, 9)), draw(tenths(1, 4))
    kinds = {
        "noise": Channel(f'{{ map = "z + {c}*xi" }}', noise=lambda e: gauss(e, c**2), reach=9 * c),
        "mixture": Channel(
            f'{{ density = "(1 - {eps})*exp(-(y - z)**2/(2*{b}))/sqrt(2*pi*{b}) + {eps}*exp(-(y - z)**2/(2*2))/sqrt(2*pi*2)" }}',
            noise=lambda e: (1 - eps) * gauss(e, b) + eps * gauss(e, 2), reach=13.0,
        ),
        "laplace": Channel(
            f'{{ density = "exp(-abs(y - z)/{b})/(2*{b})" }}', noise=lambda e: np.exp(-np.abs(e) / b) / (2 * b), breaks=(0.0,), reach=32 * b
        ),
        "relu": Channel(f'{{ map = "relu(z) + {c}*xi" }}', lambda y, z: gauss(y - np.maximum(z, 0), c**2), breaks=(0.0,), reach=9 * c),
        "tanh": Channel(f'{{ map = "tanh(z) + {c}*xi" }}', lambda y, z: gauss(y - np.tanh(z), c**2), reach=9 * c),
    }
    return kinds[draw(st.sampled_from(sorted(kinds)))]


# ------------------------------------------------------------------ priors and penalties


@st.composite
def priors(draw) -> Prior:
    s, r = draw(tenths(5, 20)), draw(tenths(2, 6))
    kinds = {
        "gaussian": Prior(f'{{ kind = "gaussian", variance = {s} }}', lambda w: gauss(w, s), ends=(-14, 14)),
        "written": Prior(f'{{ density = "exp(-w**2/(2*{s}))/sqrt(2*pi*{s})" }}', lambda w: gauss(w, s), ends=(-14, 14)),
        "logistic": Prior('{ density = "1/(4*cosh(w/2)**2)" }', lambda w: 1 / (4 * np.cosh(w / 2) ** 2), ends=(-42, 42)),
        "two_hills": Prior(
            '{ density = "(exp(-2*(w - 1)**2) + exp(-2*(w + 1)**2))/(2*sqrt(pi/2))" }',
            lambda w: (np.exp(-2 * (w - 1) ** 2) + np.exp(-2 * (w + 1) ** 2)) / (2 * np.sqrt(np.pi / 2)), ends=(-7, 7),
        ),
        "parabola": Prior('{ density = "3/4*(1 - w**2)", support = [-1, 1] }', lambda w: 3 / 4 * (1 - w**2), ends=(-1, 1)),
        "half": Prior('{ density = "exp(-w)", support = [0, inf] }', lambda w: np.exp(-w), ends=(0, 40)),
        "uniform": Prior('{ kind = "uniform", low = -1, high = 2 }', lambda w: np.full_like(w, 1 / 3), ends=(-1, 2)),
        "laplace": Prior(
            f'{{ kind = "laplace", scale = {s / 2} }}', lambda w: np.exp(-np.abs(w) * 2 / s) / s, breaks=(0.0,), ends=(-20 * s, 20 * s)
        ),
        "atoms": Prior("{ atoms = [-1, 0, 2], weights = [0.25, 0.5, 0.25] }", atoms=((-1.0, 0.25), (0.0, 0.5), (2.0, 0.25))),
        "sparse": Prior(f'{{ kind = "gauss_bernoulli", rho = {r} }}', lambda w: r * gauss(w, 1.0), ((0.0, 1 - r),), ends=(-9.5, 9.5)),
    }
    return kinds[draw(st.sampled_from(sorted(kinds)))]


@st.composite
def penalties(draw) -> Penalty:
    l, c = draw(tenths(2, 15)), draw(tenths(1, 5))
    kinds = {
        "ridge": Penalty(f'{{ kind = "ridge", strength = {l} }}', lambda w: l * w**2 / 2, lambda w: l * w),
        "l1": Penalty(f'{{ kind = "l1", strength = {c} }}', lambda w: c * np.abs(w), lambda w: c * np.sign(w), (0.0,)),
        "elastic": Penalty(
            f'{{ formula = "{c}*abs(w) + {l}*w**2/2" }}', lambda w: c * np.abs(w) + l * w**2 / 2, lambda w: c * np.sign(w) + l * w, (0.0,)
        ),
        "root": Penalty(f'{{ formula = "{l}*sqrt(1 + w**2)" }}', lambda w: l * np.sqrt(1 + w**2), lambda w: l * w / np.sqrt(1 + w**2)),
        "quartic": Penalty(f'{{ formula = "{l}*w**2/2 + {c}*w**4" }}', lambda w: l * w**2 / 2 + c * w**4, lambda w: l * w + 4 * c * w**3),
        "log_cosh": Penalty(f'{{ formula = "{l}*log(cosh(w))" }}', lambda w: l * np.log(np.cosh(w)), lambda w: l * np.tanh(w)),
    }
    return kinds[draw(st.sampled_from(sorted(kinds)))]


# ------------------------------------------------------------------ systems

GAUSSIAN = Prior('"gaussian"', lambda w: gauss(w, 1.0))
RIDGE = Penalty('{ kind = "ridge", strength = 0.5 }', lambda w: w**2 / 4, lambda w: w / 2)


@st.composite
def minimisers(draw, plain: bool = False) -> Drawn:
    """Empirical risk minimisers, on sign labels or on real ones; `plain`: Gaussian teacher, ridge penalty, sign labels."""
    real = not plain and draw(st.booleans())
    channel, loss = draw(real_channels() if real else sign_channels()), draw(residual_losses() if real else margin_losses())
    return Drawn("erm", draw(tenths(8, 30)), GAUSSIAN if plain else draw(priors()), channel, loss, RIDGE if plain else draw(penalties()))


@st.composite
def posteriors(draw, plain: bool = False) -> Drawn:
    """Bayes learners; `plain`: sign labels with smooth odds."""
    real = not plain and draw(st.booleans())
    channel = draw(real_channels() if real else sign_channels(smooth=plain))
    return Drawn("bayes", draw(tenths(8, 30)), draw(priors()), channel)


@st.composite
def thermal(draw, plain: bool = False) -> Drawn:
    """Gibbs learners on sign labels; their reference measure differs from the teacher's, `plain`: both are Gaussian."""
    own = GAUSSIAN if plain else draw(priors().filter(lambda p: "atoms" not in p.text))
    prior = GAUSSIAN if plain else draw(priors())
    return Drawn("gibbs", draw(tenths(8, 30)), prior, draw(sign_channels()), draw(margin_losses()), None, draw(tenths(5, 15)), own)


def distinct(strategy: st.SearchStrategy[Drawn], count: int, key: int) -> list[Drawn]:
    """The first `count` distinct systems of a random stream, the same ones every time."""
    found: dict[str, Drawn] = {}
    quiet = list(HealthCheck)

    @seed(key)
    @settings(max_examples=8 * count, deadline=None, database=None, suppress_health_check=quiet, phases=[Phase.generate])
    @given(strategy)
    def collect(drawn: Drawn) -> None:
        if len(found) < count:
            found.setdefault(repr(drawn), drawn)

    collect()
    return list(found.values())

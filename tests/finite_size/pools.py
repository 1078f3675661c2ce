"""Pools of labeled patterns from which a selection keeps some."""

from replica.spec import Spec

_TEXT = """
format = 1
name = "pool"
[teacher]
prior = "{prior}"
channel = "sign"
[data]
alpha = {alpha}
selection = {{ kind = "tilted", keep = {keep}, by = "log_volume", tilt = {tilt} }}
[student]
protocol = {protocol}
[controls]
{control}
"""
_LIKE_THE_TEACHER = '{{ kind = "gibbs", beta = inf }}\nloss = "theta"\nprior = "{prior}"'


def pool(prior: str, alpha: float, keep: str, tilt: str, control: str, protocol: str = _LIKE_THE_TEACHER) -> Spec:
    """A pool of alpha d patterns and a student that fits what is kept of it.

    Args:
        keep, tilt: numbers or the control, as a spec writes them; control: its declaration.
        protocol: and what follows it in the table of the student.
    """
    student = protocol.format(prior=prior)
    return Spec.from_toml(_TEXT.format(prior=prior, alpha=alpha, keep=keep, tilt=tilt, control=control, protocol=student))

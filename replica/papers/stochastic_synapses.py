"""Role of synaptic stochasticity in training low-precision neural networks: theory side."""

from replica.papers.record import At, Claim, Curve, Figure, Origin, Paper, Unchecked

STOCHASTIC = """
format = 1
name = "binary synapses with trained means"

[student]
protocol = { kind = "gibbs", beta = "beta" }
prior = { kind = "uniform", low = -1, high = 1 }          # the mean of a synapse
self_overlap = "q_star"
loss = { formula = "-log(H(-y*z / sqrt(1 - q_star)))" }   # minus the log-probability of a right answer

[controls]
alpha  = { value = 0.5, domain = "(0, inf)", meaning = "patterns per weight" }
beta   = { value = 20.0, domain = "(0, inf]", meaning = "inverse temperature" }
q_star = { value = 0.7, domain = "(0, 1)", meaning = "squared mean synapse, averaged over synapses" }
"""
FROZEN = STOCHASTIC.replace("value = 20.0", "value = inf")
TEACHER = STOCHASTIC.replace("trained means", "trained means, learning a rule").replace(
    "[student]", '[teacher]\nprior = "binary"\nchannel = "sign"\n\n[student]'
)

PAPER = Paper(
    name="stochastic_synapses",
    title="Role of synaptic stochasticity in training low-precision neural networks",
    authors="C. Baldassi, F. Gerace, H. J. Kappen, C. Lucibello, L. Saglietti, E. Tartaglione, R. Zecchina",
    year=2017,
    arxiv="1710.09825",
    story="""Each binary synapse is a coin, and the coins' biases are trained so that a network drawn from them answers right.  The
    energy is that of real replicas whose number is the inverse temperature, and so training is drawn into dense regions of solutions; as
    the biases are driven to certainty the network is left there.""",
    specs={"storage": STOCHASTIC, "frozen": FROZEN, "teacher": TEACHER},
    figures={
        "overlap": Figure(
            "beta = 20: how alike two draws of the biases are",
            "squared bias q_star",
            "q",
            tuple(Curve(f"alpha = {alpha}", "storage", "q", "q_star", "0.1:0.95:18", {"alpha": alpha}) for alpha in (0.3, 0.5)),
        ),
        "free_entropy": Figure(
            "alpha = 0.5: free entropy",
            "squared bias q_star",
            "free entropy per weight",
            tuple(Curve(f"beta = {beta}", "storage", "free_entropy", "q_star", "0.1:0.95:18", {"beta": beta}) for beta in (5, 20)),
        ),
        "generalization": Figure(
            "a binary teacher, beta = 20",
            "squared bias q_star",
            "generalization error",
            tuple(
                Curve(f"alpha = {alpha}", "teacher", "generalization_error", "q_star", "0.2:0.95:16", {"alpha": alpha})
                for alpha in (0.5, 1.0)
            ),
        ),
        "ground_state": Figure(
            "alpha = 0.5: biases of least energy",
            "squared bias q_star",
            "free entropy per weight",
            (Curve("beta = inf", "frozen", "free_entropy", "q_star", "0.1:0.95:18"),),
        ),
    },
    claims=(
        *(
            Claim(
                f"free entropy at alpha = 0.5, beta = {beta}, q_star = {bias}",
                At("storage", "free_entropy", {"beta": beta, "q_star": bias}),
                expected,
                1e-10,
                Origin.INDEPENDENT,
                source="hand-written integrals, tests/reference/test_papers.py",
            )
            for beta, bias, expected in ((20, 0.7, -2.510931435986), (5, 0.4, -1.180731712848))
        ),
        *(
            Claim(
                f"energy of the best biases at alpha = 0.5, q_star = {bias}",
                At("frozen", "energy", {"q_star": bias}),
                expected,
                1e-9,
                Origin.INDEPENDENT,
                source="hand-written integrals, tests/reference/test_frozen_synapses.py",
            )
            for bias, expected in ((0.3, 0.12028994834), (0.7, 0.03585603895))
        ),
    ),
    unchecked=(
        Unchecked("local entropy around the rounded biases grows with q_star", "a probe around a function of the weights is not declared"),
        Unchecked("gradient ascent on the biases solves storage at high loads, and deep networks", "algorithms, no theory"),
    ),
)

"""Ten thousand hostile texts: none runs code, none takes long, and each is read or refused in one line."""

import random
import sys
import time

import pytest
import sympy as sp

from replica.formula import FormulaError, parse

NAMES = {name: sp.Symbol(name, real=True) for name in ("y", "z", "w", "lambda", "Delta")}
COUNT, SECONDS = 10_000, 0.05

ATTACKS = (
    "__import__('os').system('touch /tmp/owned')",
    "eval('1')",
    "exec('import os')",
    "open('/etc/passwd')",
    "().__class__.__base__.__subclasses__()",
    "z.__class__",
    "(lambda: 1)()",
    "lambda: z",
    "[z for z in (1,)]",
    "{z: 1}",
    "{z}",
    "f'{z}'",
    "'a' * 9",
    "b'x'",
    "z if y else w",
    "z and y",
    "not z",
    "z @ y",
    "z := 1",
    "(z := 1)",
    "*z",
    "max(*z)",
    "exp(x=1)",
    "exp(**z)",
    "z; y",
    "z\ny",
    "z\\\ny",
    "#z",
    "z # y",
    "...",
    "None",
    "True",
    "z == y",
    "z != y",
    "z is y",
    "z in y",
    "~z",
    "z << 9",
    "z >> 1",
    "z & y",
    "z | y",
    "1_0",
    "0x1f",
    "0b1",
    "0o7",
    "1j",
    "1e5j",
    "1e999",
    "-1e999",
    "00",
    "01",
    "9**9**9**9",
    "9**-9**9",
    "(9**9)**(9**9)",
    "exp(exp(exp(exp(9))))",
    "10**60*10**60*10**60",
    "((z**64)**64)**64",
    "(10**30*z)**60",
    "0**0",
    "0**-1",
    "0/0",
    "1/0",
    "sqrt(-1)",
    "log(0)",
    "log(-1)",
    "max(sqrt(-1-z**2), z)",
    "where(sqrt(-1-z**2)<0,1,2)",
    "(-8)**(1/3)",
    "sqrt(10**39+7)",
    "(10**39+1)**(1/7)",
    "cos(pi/257)",
    "sin(10**39)",
    "max(sqrt(2)+sqrt(3),sqrt(5+2*sqrt(6)))",
    "abs(sqrt(2)+sqrt(3)-sqrt(5+2*sqrt(6)))",
    "sign(exp(200)-exp(200)-1)",
    "tanh(10**39)",
    "erf(10**39)",
    "H(10**9)",
    "log(H(10**39))",
    "Phi(-10**30)",
    "where(1<2,z,1/0)",
    "\x00",
    "z\x00",
    "\ufeffz",
    "\u0445",
    "\uff48\uff08z\uff09",
    "z\u00b2",
    "\U0001d433",
    "z\u200b",
    "((((",
    "))))",
    "(" * 300,
    "-" * 290 + "z",
    "z" + "**z" * 90,
    "+".join(["z"] * 145),
    "exp(" * 24 + "z" + ")" * 24,
    "max(" * 12 + "z" + ",w+1)" * 12,
    "max(z,w,y,z+1,w+1,y+1,z+2,w+2)",
    "1" * 41,
    "." * 5,
    "1.2.3",
    "1..2",
    ".5.",
    "e5",
    "1e",
    "1e+",
)
PIECES = (
    *NAMES,
    "pi",
    "lamda",
    "os",
    "__class__",
    "import",
    "None",
    "if",
    "else",
    "for",
    "exp",
    "log",
    "H",
    "Phi",
    "max",
    "where",
    "sqrt",
    "abs",
    "sigmoid",
    "0",
    "1",
    "2",
    "9",
    "64",
    "0.5",
    "1e300",
    "1e-300",
    "1e9",
    ".1",
    "+",
    "-",
    "*",
    "/",
    "**",
    "//",
    "^",
    "(",
    ")",
    ",",
    "<",
    "<=",
    ">",
    "=",
    "==",
    ":",
    ";",
    ".",
    "'",
    '"',
    "[",
    "]",
    "{",
    "}",
    "|",
    "@",
    "#",
    "\\",
    "\n",
    "\t",
    " ",
    "\u03bb",
    "exp(",
    "log(",
    "max(z,",
    "where(z<1,",
    "1/",
    "(1+exp(",
    "cosh(",
    "**2",
)
VALID = (
    "log(1 + exp(-y*z))",
    "lambda*w**2/2",
    "-log(H(-y*z/sqrt(Delta)))",
    "where(y*z < 1, (1-y*z)**2, 0)",
    "max(0, 1 - y*z)",
    "abs(y - z)/(1 + Delta)",
)

SEEN: list[tuple[str, tuple]] = []
WATCHING = [False]


def watch(event, details):
    if WATCHING[0] and event.split(".")[0] in (
        "exec",
        "compile",
        "import",
        "open",
        "os",
        "subprocess",
        "socket",
        "ctypes",
        "shutil",
        "marshal",
        "pickle",
        "code",
    ):
        if not (event == "compile" and details[1] == "<unknown>"):  # ast.parse, which builds a tree and runs nothing
            SEEN.append((event, details))


def hostile(rng):
    draw = rng.random()
    if draw < 0.05:
        return rng.choice(ATTACKS)
    if draw < 0.45:
        return "".join(rng.choice(PIECES) for _ in range(rng.randint(1, 25)))
    if draw < 0.6:
        return grow(rng, rng.randint(1, 5))
    text = list(rng.choice(ATTACKS + VALID))
    for _ in range(rng.randint(1, 4)):
        place = rng.randrange(len(text) + 1)
        text[place : place + rng.randint(0, 2)] = rng.choice((*PIECES, chr(rng.randrange(1, 0x2FF))))
    return "".join(text)


def grow(rng, depth):
    """Grammatical, and asking for as much work as the grammar allows."""
    if depth == 0:
        return rng.choice((*NAMES, "pi", "2", "9", "0.1", "1e99", "1e-99", "10**39", "64", "0"))
    kind = rng.random()
    a, b = grow(rng, depth - 1), grow(rng, rng.randint(0, depth - 1))
    if kind < 0.5:
        return f"({a}{rng.choice(('+', '-', '*', '/', '**'))}{b})"
    if kind < 0.6:
        return f"{rng.choice(('max', 'min'))}({a},{b})"
    if kind < 0.7:
        return f"where({a}<{b},{a},{b})"
    name = rng.choice(
        (
            "exp",
            "log",
            "log1p",
            "sqrt",
            "abs",
            "sign",
            "erf",
            "erfc",
            "tanh",
            "cosh",
            "sin",
            "atan",
            "heaviside",
            "relu",
            "sigmoid",
            "Phi",
            "H",
        )
    )
    return f"{name}({a})"


def read(text):
    try:
        parse(text, NAMES)
    except FormulaError as error:
        assert "\n" not in str(error) and str(error).isascii() and len(str(error)) < 400


@pytest.fixture(scope="module")
def watched():
    sys.addaudithook(watch)  # a hook cannot be taken away again, hence the switch
    for text in (*ATTACKS, *VALID):
        read(text)  # SymPy imports some of its own modules on first use
    yield
    WATCHING[0] = False


def test_the_watch_sees(watched):
    WATCHING[0] = True
    compile("1", "<elsewhere>", "eval")
    WATCHING[0] = False
    assert SEEN.pop()[0] == "compile"


def test_hostile_texts(watched):
    rng = random.Random(20261121)
    slow = []
    texts = [hostile(rng) for _ in range(COUNT)]
    WATCHING[0] = True
    for text in texts:
        if seconds(text) > SECONDS:
            slow.append(text)
    WATCHING[0] = False
    assert SEEN == []
    assert [text for text in slow if min(seconds(text) for _ in range(3)) > SECONDS] == []  # a busy machine slows one reading, not four


def seconds(text):
    start = time.process_time()
    read(text)
    return time.process_time() - start

"""Bad input: one clear line that says what was found and what is allowed, exit code 2, nothing lost, no traceback."""

import errno
import json
import os

import h5py
import pytest

from simulate.cli import main

HEAD = 'format = 1\nname = "mine"\n'
GAUSSIAN = 'prior = "gaussian"'
RIDGE = 'regularizer = { kind = "ridge", strength = 1 }'
ALPHA = 'alpha = { value = 1.0, domain = "(0, inf)" }'


def text(student: str, teacher: str = f'{GAUSSIAN}\nchannel = "sign"', controls: str = ALPHA, extra: str = "") -> str:
    return "\n".join([HEAD, "[teacher]", teacher, "[student]", student, "[controls]", controls, extra, ""])


def erm(loss: str, **changes: str) -> str:
    return text(f'protocol = "erm"\nloss = {loss}\n{RIDGE}', **changes)


BAYES = 'protocol = "bayes"'


def lines_of(capsys, *words) -> tuple[int, list[str], str]:
    """(exit code, lines on standard error, standard output); a traceback or a fault of the program fails here."""
    code = main([str(word) for word in words])
    shown = capsys.readouterr()
    assert "Traceback" not in shown.err and "internal fault" not in shown.err, shown.err
    return code, shown.err.splitlines(), shown.out


def refused(capsys, *words) -> str:
    """The one line that refuses these words with exit code 2."""
    code, lines, out = lines_of(capsys, *words)
    assert code == 2, (code, lines, out)
    assert len(lines) == 1 and out == "", (lines, out)
    return lines[0]


def written(tmp_path, content: str):
    path = tmp_path / "mine.toml"
    path.write_text(content)
    return path


# what is wrong in the file: (text, words the line must have)
WRONG = {
    "unknown table": (erm('"hinge"', extra="[tacher]\n"), ["tacher", "teacher"]),
    "unknown key": (erm('"hinge"').replace("protocol =", "protocl ="), ["protocl", "protocol"]),
    "unknown parameter": (erm('{ kind = "huber", dleta = 1 }'), ["dleta", "delta"]),
    "unknown kind": (erm('"hnige"'), ["hnige", "hinge"]),
    "a number for a loss": (erm("3"), ["loss"]),
    "a list for a number": (erm('"hinge"', controls='alpha = { value = [1], domain = "(0, inf)" }'), ["alpha"]),
    "text for a number": (erm('"hinge"').replace("strength = 1", 'strength = "one"'), ["one"]),
    "default outside the domain": (erm('"hinge"', controls='alpha = { value = -1.0, domain = "(0, inf)" }'), ["-1", "(0, inf)"]),
    "strength outside its domain": (erm('"hinge"').replace("strength = 1", "strength = -1"), ["-1", "strength"]),
    "import": (erm("{ formula = \"__import__('os').system('true')\" }"), ["formula", "column"]),
    "attribute": (erm('{ formula = "y.real*z" }'), ["formula", "column"]),
    "unknown function": (erm('{ formula = "gamma(z)" }'), ["gamma"]),
    "unknown name": (erm('{ formula = "(y - q)**2" }'), ["'q'"]),
    "unused control": (erm('"hinge"', controls=f'{ALPHA}\nbeta = {{ value = 1.0, domain = "(0, inf)" }}'), ["beta"]),
    "prior of infinite mass": (text(BAYES, 'prior = { density = "1/(1 + abs(w))" }\nchannel = "sign"'), ["density"]),
    "prior of another mass": (text(BAYES, 'prior = { density = "exp(-w**2/2)" }\nchannel = "sign"'), ["2.50663"]),
    "negative prior": (text(BAYES, 'prior = { density = "(3 - 15*w**2/2)/2", support = [-1, 1] }\nchannel = "sign"'), ["density"]),
    "weights that add up to more": (text(BAYES, 'prior = { atoms = [-1, 1], weights = [0.5, 0.6] }\nchannel = "sign"'), ["1.1"]),
    "channel that is no probability": (text(BAYES, f'{GAUSSIAN}\nchannel = {{ density = "exp(-y*z)", labels = [-1, 1] }}'), ["channel"]),
    "channel of another mass": (text(BAYES, f'{GAUSSIAN}\nchannel = {{ density = "exp(-(y - z)**2)" }}'), ["channel"]),
}


@pytest.mark.parametrize("name", WRONG)
@pytest.mark.parametrize("command", ["check", "solve"])
def test_a_wrong_file_is_one_line(capsys, tmp_path, name, command):
    content, words = WRONG[name]
    line = refused(capsys, command, written(tmp_path, content))
    assert "mine.toml" in line and all(word in line for word in words), line


@pytest.mark.parametrize(
    ("label", "loss"),
    [("real labels", '"hinge"'), ("real labels", '"logistic"'), ("real labels", '{ kind = "theta" }')],
)
def test_a_loss_of_signs_on_labels_that_are_none(capsys, tmp_path, label, loss):
    """Real labels cannot be what a loss of signs expects: refused, or said in one line."""
    path = written(tmp_path, erm(loss, teacher=f'{GAUSSIAN}\nchannel = {{ kind = "linear", variance = 0.1 }}'))
    code, lines, _ = lines_of(capsys, "check", path)
    assert lines and len(lines) == 1 and "label" in lines[0], (code, lines)


def test_labels_that_the_channel_cannot_produce(capsys, tmp_path):
    """A channel whose listed labels never occur together: probabilities at its labels do not add up to one."""
    channel = '{ density = "heaviside(y*z)", labels = [1, 2] }'
    line = refused(capsys, "solve", written(tmp_path, text(BAYES, f"{GAUSSIAN}\nchannel = {channel}")))
    assert "channel" in line


@pytest.mark.parametrize(
    "loss", ['{ formula = "1 - tanh(y*z)" }', '{ formula = "sin(3*z)*y" }', '{ formula = "(1 - z**2)**2" }', '"theta"']
)
@pytest.mark.parametrize("command", ["check", "solve"])
def test_a_loss_that_is_not_convex_is_never_silent(capsys, tmp_path, loss, command):
    """Minimising it: refused (2, or 1 where theory says no), or a warning in one line beside the result."""
    code, lines, _ = lines_of(capsys, command, written(tmp_path, erm(loss)))
    assert len(lines) == 1, (code, lines)
    assert "convex" in lines[0], lines


@pytest.mark.parametrize("number", ["0", "-1", "-inf", "nan", "1e400"])
def test_alpha_outside_its_domain(capsys, number):
    line = refused(capsys, "solve", "logistic_sign", "--set", f"alpha={number}")
    assert "alpha" in line


# ------------------------------------------------------------------ replicas: what does not fit, cannot be reached, never vanishes


def trees(student: str, controls: str = "", prior: str = "binary", ansatz: str = "") -> str:
    """A storage problem of solutions, with real replicas or levels."""
    solutions = f'protocol = {{ kind = "gibbs", beta = inf }}\nprior = "{prior}"\nloss = "theta"\n{student}'
    return text(solutions, controls=f"{ALPHA}\n{controls}", extra=ansatz).replace(f'[teacher]\n{GAUSSIAN}\nchannel = "sign"\n', "")


def levels(x: str) -> str:
    return f'[ansatz]\nkind = "rsb"\nx = {x}'


PROBE = 'ensemble = { kind = "franz_parisi", overlap = "1 - 2*distance" }'
APART = 'distance = { value = 0.1, domain = "(-inf, inf)" }'
CENTRES = 'ensemble = { kind = "two_centres", y = 3, near = 0.8, far = 0.7, apart = "apart" }'
BETWEEN = 'apart = { value = 0.6, domain = "(-inf, inf)" }'
COPIES = 'copies = 3\ncouple = { to = "student", overlap = "mutual" }'
MUTUAL = 'mutual = { value = 0.6, domain = "(-inf, inf)" }'
SOFT = 'self_overlap = "Q"'
LENGTH = 'Q = { value = 1, domain = "(0, inf)" }'
STAR = 'ensemble = { kind = "robust", y = "y_real", overlap = 0.8 }'
REAL = 'y_real = { value = 3, domain = "(-inf, inf)" }'
PARISI = 'x = { value = 0.5, domain = "(-inf, inf)" }'

# (text, what is set, words the line must have)
OUT_OF_REACH = {
    "a distance above 1": (trees(PROBE, APART), "distance=1.5", ["1 - 2*distance = -2", "[-1, 1]"]),
    "a distance below 0": (trees(PROBE, APART, "spherical"), "distance=-0.1", ["1 - 2*distance = 1.2", "[-1, 1]"]),
    "copies that all repel": (trees(COPIES, MUTUAL), "mutual=-0.6", ["mutual = -0.6", "[-0.5, 1]"]),
    "a triangle of signs": (trees(CENTRES, BETWEEN), "apart=0.4", ["cannot be reached together", "0.4 of far and near"]),
    "a triangle on the sphere": (trees(CENTRES, BETWEEN, "spherical"), "apart=-0.4", ["cannot be reached together"]),
    "a length that signs do not have": (trees(SOFT, LENGTH), "Q=0.5", ["|w|^2/d = Q = 0.5", "[1, 1]"]),
    "fewer than one replica": (trees(STAR, REAL), "y_real=0.5", ["y_real = 0.5", "[1, inf]"]),
    "a Parisi parameter of 0": (trees("", PARISI, ansatz=levels('"x"')), "x=0", ["x = 0", "(0, inf)"]),
    "a negative Parisi parameter": (trees("", PARISI, ansatz=levels('"x"')), "x=-0.5", ["x = -0.5", "(0, inf)"]),
}


@pytest.mark.parametrize("name", OUT_OF_REACH)
def test_a_value_out_of_reach_is_one_line_where_it_is_set_and_where_it_is_written(capsys, tmp_path, name):
    content, setting, words = OUT_OF_REACH[name]
    line = refused(capsys, "solve", written(tmp_path, content), "--set", setting)
    assert all(word in line for word in words), line
    control, value = setting.split("=")
    before = next(row for row in content.splitlines() if row.startswith(f"{control} = {{ value"))
    after = f"{control} = {{ value = {value}," + before.split(",", 1)[1]
    line = refused(capsys, "check", written(tmp_path, content.replace(before, after)))
    assert "mine.toml" in line and all(word in line for word in words), line


def test_distances_on_the_sphere_need_no_triangle_of_signs(capsys, tmp_path):
    sphere = written(tmp_path, trees(CENTRES, BETWEEN.replace("0.6", "0.4"), "spherical"))
    code, lines, _ = lines_of(capsys, "check", sphere)
    assert code == 0 and not lines


@pytest.mark.parametrize("kind", ["rs", "rsb", "annealed"])
def test_an_ansatz_without_replicas_is_one_line(capsys, tmp_path, kind):
    online = 'protocol = { kind = "online_sgd", rate = 0.1 }\nloss = "square"'
    line = refused(capsys, "solve", written(tmp_path, text(online, extra=f'[ansatz]\nkind = "{kind}"')))
    assert "ansatz" in line and "replicas" in line


@pytest.mark.parametrize("command", ["check", "solve"])
def test_levels_of_a_bayes_optimal_learner_collapse_and_say_so(capsys, tmp_path, command):
    code, lines, out = lines_of(capsys, command, written(tmp_path, text(BAYES, extra=levels("0.5"))))
    assert code == 0 and out and len(lines) == 1
    assert "Bayes-optimal" in lines[0] and "collapse" in lines[0], lines


def test_a_complexity_that_never_vanishes_is_one_line(capsys, tmp_path):
    """The p-spin model between its dynamical and its static transition: complexity vanishes at x > 1 only."""
    spins = 'protocol = { kind = "gibbs", beta = 1.5 }\nprior = "binary"'
    controls = 'x = { solve = "complexity = 0", value = 1, domain = "(0, 1]" }'
    content = "\n".join([HEAD, '[data]\nlaw = { kind = "pspin", p = 3 }', "[student]", spins, levels('"x"'), "[controls]", controls])
    code, lines, out = lines_of(capsys, "solve", written(tmp_path, content))
    assert code == 1 and not lines
    said = [line for line in out.splitlines() if line and line != "mine"]
    assert len(said) == 1 and "not met" in said[0] and "condition on x is off by" in said[0], out


def test_a_grid_is_refused_before_any_work(capsys, tmp_path):
    result = tmp_path / "out.nc"
    line = refused(capsys, "solve", "logistic_sign", "--sweep", "alpha=2:-1:4", "-o", result)
    assert "alpha" in line and "(0, inf)" in line and not result.exists()


# ------------------------------------------------------------------ result files


@pytest.fixture
def result(capsys, tmp_path):
    path = tmp_path / "out.nc"
    assert main(["solve", "bayes_sign", "--sweep", "alpha=0.5,1,2", "-o", str(path)]) == 0
    capsys.readouterr()
    return path


@pytest.mark.parametrize("damage", ["truncated", "flipped", "empty", "text", "foreign", "missing", "folder", "unreadable"])
def test_a_file_that_is_no_result(capsys, tmp_path, result, damage):
    content = result.read_bytes()
    if damage == "truncated":
        result.write_bytes(content[: len(content) // 2])
    elif damage == "flipped":  # one bit inside the stored numbers
        with h5py.File(result) as file:
            offset = file["q" if "q" in file else next(iter(file))].id.get_offset() or len(content) // 2
        result.write_bytes(content[:offset] + bytes([content[offset] ^ 1]) + content[offset + 1 :])
    elif damage == "empty":
        result.write_bytes(b"")
    elif damage == "text":
        result.write_text("alpha,q\n1,0.5\n")
    elif damage == "foreign":
        result.unlink()
        with h5py.File(result, "w") as file:
            file["temperature"] = [1.0, 2.0]
    elif damage == "missing":
        result.unlink()
    elif damage == "folder":
        result.unlink()
        result.mkdir()
    elif damage == "unreadable":
        if os.geteuid() == 0:
            pytest.skip("root reads everything")
        result.chmod(0)
    line = refused(capsys, "plot", result, "-o", tmp_path / "figure.png")
    assert "out.nc" in line and not (tmp_path / "figure.png").exists()


def test_a_place_that_cannot_be_written(capsys, tmp_path):
    line = refused(capsys, "solve", "bayes_sign", "-o", tmp_path / "nowhere" / "out.nc")
    assert "nowhere" in line


@pytest.mark.parametrize("call", ["fsync", "replace"])
def test_a_full_disk_keeps_the_older_result(capsys, monkeypatch, tmp_path, result, call):
    """The file of before is untouched, no half-written one is left beside it, and the line says why."""
    before, names = result.read_bytes(), sorted(p.name for p in tmp_path.iterdir())

    def full(*_args, **_keywords):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(result))

    with monkeypatch.context() as patched:
        patched.setattr(os, call, full)
        line = refused(capsys, "solve", "bayes_sign", "--sweep", "alpha=1,3", "-o", result)
    assert os.strerror(errno.ENOSPC) in line
    assert result.read_bytes() == before
    assert sorted(p.name for p in tmp_path.iterdir() if "journal" not in p.name) == names


def test_a_full_disk_while_drawing(capsys, tmp_path, result):
    if not os.path.exists("/dev/full"):
        pytest.skip("no /dev/full here")
    (tmp_path / "figure.png").symlink_to("/dev/full")
    line = refused(capsys, "plot", result, "-o", tmp_path / "figure.png")
    assert os.strerror(errno.ENOSPC) in line


def test_json_is_never_half_printed(capsys, tmp_path):
    """A mistake leaves standard output empty, so that a reader of JSON gets nothing rather than a part."""
    code, lines, out = lines_of(capsys, "solve", written(tmp_path, WRONG["unknown kind"][0]), "--json")
    assert code == 2 and out == "" and len(lines) == 1
    assert main(["solve", "bayes_sign", "--json"]) == 0
    json.loads(capsys.readouterr().out)
